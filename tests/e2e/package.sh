#!/bin/bash
# `make deb`: the package has all of `make install`, and is installed, upgraded, removed and purged, in a folder of its own.
. tests/tap.sh
for tool in dpkg-shlibdeps dpkg-deb; do
    [[ -n $(command -v $tool) ]] || skip_all "$(lacks dpkg-dev)"
done
[[ -n $(command -v deb-systemd-helper) ]] || skip_all 'there is no deb-systemd-helper'

ok 'the package is built' packaging/deb/build "$HEARTH" "$TMP"
package=$(echo "$TMP"/hearth_*.deb)
ok 'and again' packaging/deb/build "$HEARTH" "$TMP/again"
ok 'the same bytes' cmp "$package" "$TMP/again/${package##*/}"

dpkg-deb --fsys-tarfile "$package" | tar -t | sed 's|^\./||' | grep -v '/$' | sed '/^$/d' | sort >"$TMP/files"
mapfile -t commands < <("$HEARTH" --help | sed -nE 's/^  ([a-z-]+) .*/\1/p')
is 'the binary, its pages and completion, the unit, the file, and what Debian asks for' "$(cat "$TMP/files")" "$({
    printf 'usr/share/man/man1/hearth-%s.1.gz\n' "${commands[@]}"
    printf '%s\n' etc/hearth.conf usr/bin/hearth usr/lib/systemd/system/hearth.service usr/share/man/man1/hearth.1.gz \
        usr/share/bash-completion/completions/hearth usr/share/man/man5/hearth.conf.5.gz usr/share/doc/hearth/{changelog,changelog.Debian}.gz usr/share/doc/hearth/copyright
} | sort)"
like 'it recommends those that serve and top open' "$(dpkg-deb -f "$package" Recommends)" 'libmicrohttpd12.*libncursesw6'
like 'it depends on the libraries' "$(dpkg-deb -f "$package" Depends)" 'libc6 .*libsqlite3'
is 'all of root' "$(dpkg-deb -c "$package" | awk '$2 != "root/root"' | wc -l)" 0
is 'the file is the administrator'"'"'s' "$(dpkg-deb -I "$package" conffiles)" /etc/hearth.conf
# A root of dpkg's own; the scripts run outside of it, with $DPKG_ROOT.
root=$TMP/root
mkdir -p "$root"/var/lib/dpkg/{info,updates} "$root"/etc/systemd/system
touch "$root/var/lib/dpkg/status"
manage() { dpkg --root="$root" --force-script-chrootless --force-depends --force-not-root --log=/dev/null "$@" >"$TMP/dpkg.out" 2>&1; }
state() { dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${db:Status-Status}' hearth 2>/dev/null; }
enabled() { [[ -L $root/etc/systemd/system/multi-user.target.wants/hearth.service ]] && echo yes; }
manage -i "$package"
is 'installs, and is enabled' "$? $(state) $(enabled)" '0 installed yes'
is 'the binary runs from there' "$("$root/usr/bin/hearth" --version)" "$("$HEARTH" --version)"
echo '# mine' >>"$root/etc/hearth.conf"
mkdir -p "$root"/var/{lib,cache}/hearth
touch "$root/var/lib/hearth/2026-11-21.full.1.db"
manage -i "$package"
is 'upgrades, and keeps the file and the recordings' "$? $(state) $(enabled) $(tail -n 1 "$root/etc/hearth.conf") $(ls "$root/var/lib/hearth")" \
    '0 installed yes # mine 2026-11-21.full.1.db'
manage -r hearth
is 'is removed, and keeps them' "$? $(state) $(ls "$root/usr/bin" 2>/dev/null) $(ls "$root/etc/hearth.conf" "$root/var/lib/hearth" | wc -l)" \
    '0 config-files  4'
manage -i "$package"
is 'is installed again' "$? $(state) $(enabled)" '0 installed yes'
manage -P hearth
is 'is purged' "$? $(state)" '0 '
is 'and leaves nothing' "$(cd "$root" && find . -path '*hearth*')" ''
done_testing
