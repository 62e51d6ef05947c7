#!/bin/sh
# Checks every script of the repository with shellcheck. A script of a verb is made of pieces that need one another, so
# each is checked with what it is put together with; what is found is told by piece and line. Which rule does not count,
# and why, is said beside the line, at the head of the piece, or in `.shellcheckrc`.
set -eu
cd "$(dirname "$0")/.."

if ! command -v shellcheck >/dev/null 2>&1; then
    echo 'NOT CHECKED: scripts, for there is no shellcheck (Debian: apt-get install shellcheck)' >&2
    [ -z "${CI:-}" ]
    exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is put together while haengine runs, which no `concat!` shows.
at_run_time() {
    lock=engine/kernel/src/lock pkg=stdlib/src/pkg
    printf '%s\t%s\t%s\n' $lock/at_work.sh engine/kernel/src/who.sh $lock/lock_host.sh
    printf '%s\t%s\n' $lock/at_work.sh $lock/take_over.sh stdlib/src/node/survey/look.sh stdlib/src/node/sockets/look.sh
    common=$(grep '^stdlib/src/pkg/places.sh' "$work/fixed")
    for manager in apt rpm; do
        for script in install remove purge settle; do
            printf '%s\t%s\t%s\n' $pkg/$manager.sh "$common" $pkg/$script.sh
        done
    done
}

git ls-files '*.sh' .ci/run ':!stdlib/tests/node' | sort >"$work/all"
git ls-files 'engine/*/src/*.rs' 'stdlib/src/*.rs' | xargs awk -f tests/wholes.awk >"$work/fixed"
at_run_time >"$work/late"
grep -v '^stdlib/src/pkg/places.sh' "$work/fixed" | cat - "$work/late" | sed 's:[^/\t]*/\.\./::g' >"$work/joined"
# What is in no whole is one by itself.
tr '\t' '\n' <"$work/joined" | sort -u | comm -23 "$work/all" - >"$work/alone"
cat "$work/joined" "$work/alone" >"$work/wholes"

# Each whole is a file, and `lines` says where each of its lines is from.
awk -F'\t' -v work="$work" '{
    whole = sprintf("%s/whole-%03d", work, NR); at = 0
    for (piece = 1; piece <= NF; piece++) {
        if (sub(/^=/, "", $piece)) { sub(/\\n$/, "", $piece); print $piece >whole; at++; continue }
        parts[$piece]++
        number = 0
        while ((getline line <$piece) > 0) {
            print line >whole
            print whole, ++at, $piece, ++number >(work "/lines")
        }
        close($piece)
    }
    close(whole)
}
END { for (piece in parts) print piece, parts[piece] >(work "/parts") }' "$work/wholes"

# A variable is unused, and a function never called, where it is so in every whole that has the piece. What the head of
# a piece says with `# shellcheck disable=` is about all of the piece, and of it alone.
cp .shellcheckrc "$work"
shellcheck --format=gcc "$work"/whole-* >"$work/found" || [ $? = 1 ]
sed 's/\t/\n/g' "$work/wholes" | grep -v '^=' | sort -u | while read -r piece; do
    sed -n '/^#/!q; s/.*shellcheck disable=\([SC0-9,]*\).*/\1/p' "$piece" | tr ',' '\n' | sed "s:^:$piece :"
done >"$work/allowed"
# An image of the lab bears the hash of these: a word for shellcheck in them would have each built anew. They run with
# `sh -e`; what is not quoted has no blanks, or is a list; `GOFLAGS=` is meant.
cat >>"$work/allowed" <<-'END'
	engine/lab/image/images.sh SC2164
	engine/lab/image/setup.sh SC2046
	engine/lab/image/setup.sh SC2153
	engine/lab/image/setup.sh SC2164
	engine/lab/kubernetes/build.sh SC1007
END
awk -v work="$work" '
FILENAME == work "/lines" { from[$1, $2] = $3 ":" $4; next }
FILENAME == work "/parts" { wholes[$1] = $2; next }
FILENAME == work "/allowed" { allowed[$1, $2]; next }
{
    split($0, place, ":"); text = $0; sub(/^[^:]*:[0-9]*:[0-9]*: /, "", text)
    where = from[place[1], place[2]]; split(where, piece, ":")
    code = text; sub(/.*\[/, "", code); sub(/\].*/, "", code)
    if ((piece[1], code) in allowed) next
    one = where ":" place[3] ": " text
    found[one]++
    needed[one] = code ~ /SC2034|SC2317/ ? wholes[piece[1]] : 1
}
END { for (one in found) if (found[one] >= needed[one]) print one }
' "$work/lines" "$work/parts" "$work/allowed" "$work/found" | sort -t: -k1,1 -k2,2n >"$work/told"
cat "$work/told"
[ ! -s "$work/told" ]
echo "$(wc -l <"$work/all") scripts, $(wc -l <"$work/wholes") wholes: nothing to say"
