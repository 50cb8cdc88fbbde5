#!/usr/bin/env bash
# Installs what the tests need beside Python; says what to install where it may not.
set -euo pipefail

need=()
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || need+=(postgresql)
[ -x /usr/bin/chromium ] || need+=(chromium)
[ -x /usr/sbin/apache2 ] || need+=(apache2)
[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || need+=(libapache2-mod-auth-openidc)
[ -x /usr/sbin/haproxy ] || need+=(haproxy)
[ -x /usr/bin/wrk ] || need+=(wrk)
command -v npm >/dev/null 2>&1 || need+=(nodejs npm)
[ -n "$(fc-list 2>/dev/null | grep -i 'noto.*arab')" ] || need+=(fontconfig fonts-noto-core)

if [ ${#need[@]} -gt 0 ]; then
  sudo=""
  if [ "$(id -u)" != 0 ]; then
    sudo="sudo -n"
    if ! sudo -n true 2>/dev/null; then
      echo "The tests need these packages, and neither root nor passwordless sudo is here to install them: ${need[*]}" >&2
      exit 1
    fi
  fi
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need: ${need[*]} (named as in Debian and Ubuntu; there is no apt-get here)." >&2
    exit 1
  fi
  echo "installing ${need[*]}"
  $sudo apt-get update -qq
  # Debian starts a PostgreSQL cluster, an Apache and an HAProxy on install; the tests start their own, so none is wanted.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee /usr/sbin/policy-rc.d >/dev/null
    $sudo chmod +x /usr/sbin/policy-rc.d
    trap '$sudo rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi

stamp=tests/node/node_modules/.installed
if [ ! -e "$stamp" ] || [ tests/node/package-lock.json -nt "$stamp" ]; then
  (cd tests/node && npm ci --silent --no-audit --no-fund)
  touch "$stamp"
fi
