# Goes behind area.sh: the staging folder $stage in the run's folder of kept files $folder, both of them root's alone.
own_stage() {
    case $folder in
    "$HOME"/*) ;;
    */.haengine/*)
        if ! is_safe "${folder%/.haengine/*}/"; then
            echo "others may exchange what is in ${folder%/.haengine/*}/" >&2
            return 1
        fi
        ;;
    esac
    mkdir -p -- "$folder" || return
    for own in "${folder%/*}" "$folder"; do
        if ! own "$own"; then
            echo "$own belongs to somebody else" >&2
            return 1
        fi
    done
}
