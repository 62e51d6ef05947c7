#!/bin/sh
# asks https://192.168.2.119:6443
curl -k https://192.168.2.119:6443/healthz
ping -c1 192.168.2.119
