# Tells a kubelet's certificate, and whether its key fits: `fits` or `other`, then the certificate. $1: the file.
[ -f "$1" ] || exit 0
key=fits
if command -v openssl >/dev/null; then
    public=$(openssl pkey -in "$1" -pubout 2>/dev/null)
    if [ -z "$public" ] || [ "$public" != "$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)" ]; then key=other; fi
elif ! grep -q 'PRIVATE KEY-----$' -- "$1"; then
    key=other
fi
echo "$key"
sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' -- "$1"
