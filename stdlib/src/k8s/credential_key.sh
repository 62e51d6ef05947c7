# Makes a key for a kubelet, which stays where runs keep their things until it has its certificate, and prints the request
# for that. $6: the node.
home || exit 75
key=$folder/$name.key
command -v openssl >/dev/null || exit 69
clear "$key" && openssl ecparam -name prime256v1 -genkey -noout -out "$key" || exit 71
# What the host's own configuration says of subjects does not matter here.
openssl req -new -sha256 -key "$key" -subj "/O=system:nodes/CN=system:node:$6" -config /dev/stdin <<END || exit 71
[req]
distinguished_name = subject
[subject]
END
