# Prints who this host is: machine-id, product_uuid and boot_id, each with a blank before it; `-` for what it does not say.
# Then `births` where its files and folders tell when they were made, else `no-births`.
who() {
    for said in /etc/machine-id /sys/class/dmi/id/product_uuid /proc/sys/kernel/random/boot_id; do
        word=
        { read -r word <"$said"; } 2>/dev/null
        printf ' %s' "${word:--}"
    done
    births=-
    for birth in $(stat -c %W -- /var/lib /etc 2>/dev/null); do
        case $birth in
        [1-9]*) if [ "$births" = - ]; then births=births; fi ;;
        *) births=no-births ;;
        esac
    done
    echo " $births"
}
