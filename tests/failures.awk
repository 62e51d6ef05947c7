# What failed, from the logs of test runs: the part of each suite between `failures:` and its list of names.

FNR == 1 { told = 0 }
/^     Running / { suite = $0; sub(/^ *Running /, "", suite); sub(/ \(.*/, "", suite) }
/^failures:$/ { told = !told; if (told) printf "\n==> failed in %s (%s)\n", suite, FILENAME; next }
/^test result: / { told = 0 }
told
