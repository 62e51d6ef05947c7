# Which Kubernetes the programs $4… in the folder $1 are: `@program NAME`, then `version 1.30.4`, then `flag NAME` for each that its
# help names. Those of the minor versions $2 and $3 are not asked for help.
folder=$1 oldest=$2 newest=$3
shift 3
for program do
    path=$folder/$program
    [ -x "$path" ] || continue
    said=$("$path" --version 2>/dev/null) || continue
    printf '@%s\nversion %s\n' "$program" "${said#Kubernetes v}"
    case $said in
    *" v1.$oldest."* | *" v1.$newest."*) continue ;;
    esac
    "$path" --help 2>&1 | sed -n 's/^ *\(-[A-Za-z], *\)\{0,1\}--\([A-Za-z0-9-]*\).*/flag \2/p'
done
exit 0
