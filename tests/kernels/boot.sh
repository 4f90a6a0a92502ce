#!/bin/bash
# check: 1900 s, alone
# Other kernels, booted under qemu without KVM: each of tests/kernels/list is fetched once (build/kernels), started with an
# initramfs of busybox, hearth, its libraries, the BPF objects and the workloads, and runs guest, which prints TAP on the
# console. `make check-kernels` runs it; a single kernel: HEARTH_KERNEL=linux-image-cloud-amd64 tests/run kernels
# What a kernel said is kept in build/kernels/console-*.
. tests/tap.sh

cache=build/kernels
mkdir -p $cache

# The package with the kernel itself that a metapackage stands for.
resolve() { apt-cache depends "$1" 2>/dev/null | awk '/Depends: linux-image-/ { print $2; exit }'; }

# Prints the path of the kernel's image.
fetch() { # PACKAGE
    local folder=$cache/$1
    if [[ ! -d $folder ]]; then
        (cd $cache && apt-get -o APT::Sandbox::User=root download -q "$1" >&2 && dpkg-deb -x "$1"_*.deb "$1.new" && mv "$1.new" "$1" && rm -f "$1"_*.deb) ||
            return 1
    fi
    find "$folder/boot" -name 'vmlinuz-*' | head -1
}

# A file and the libraries it is linked with.
add_program() { # FILE PATH-IN-THE-INITRAMFS
    local library
    install -D -m 755 "$1" "$TMP/root$2"
    while read -r library; do
        [[ -e $TMP/root$library ]] || install -D -m 755 "$library" "$TMP/root$library"
    done < <(ldd "$1" 2>/dev/null | grep -oE '/[^ ]+')
}

make_initramfs() {
    local program
    mkdir -p "$TMP"/root/{bin,tests,bpf,loads}
    install -m 755 "$(command -v busybox)" "$TMP/root/bin/busybox"
    install -m 755 tests/kernels/init "$TMP/root/init"
    install -m 644 tests/kernels/guest "$TMP/root/tests/"
    for program in bpf/*.bpf.c; do install -m 644 "build/${program/%.c/.o}" "$TMP/root/bpf/"; done
    add_program "$HEARTH" /bin/hearth
    add_program build/tests/tools/verifier /bin/verifier
    for program in "$LOADS"/*/*; do
        [[ -d $program ]] || add_program "$program" "/loads/$(basename "$(dirname "$program")")/$(basename "$program")"
    done
    (cd "$TMP/root" && find . | cpio --quiet -o -H newc | gzip -1) >"$TMP/initramfs"
}

boot() { # IMAGE
    timeout -k 5 900 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1536 -nodefaults -display none \
        -no-reboot -serial stdio -kernel "$1" -initrd "$TMP/initramfs" -append 'console=ttyS0 quiet panic=-1 no_timer_check' </dev/null |
        tr -d '\r'
}

# The guest's TAP, counted anew, with the kernel's name before each line.
pass_on() { # NAME CONSOLE
    local line planned='' seen=0
    while IFS= read -r line; do
        case $line in
        'ok '*'# SKIP '*) skip "$1: $(sed -E 's/^ok [0-9]+ - (.*) # SKIP .*/\1/' <<<"$line")" "${line##*# SKIP }" && seen=$((seen + 1)) ;;
        'ok '*) pass "$1: ${line#ok * - }" && seen=$((seen + 1)) ;;
        'not ok '*) fail "$1: ${line#not ok * - }" && seen=$((seen + 1)) ;;
        '#'*) echo "$line" ;;
        1..*) planned=${line#1..} ;;
        esac
    done < <(sed -n '/^--- tests begin/,/^--- tests end/p' "$2")
    if [[ $planned == "$seen" ]]; then pass "$1: boots and runs all its tests"; else
        fail "$1: boots and runs all its tests" "planned '$planned', ran $seen; the console's end:" "$(tail -25 "$2")"
    fi
}

make_initramfs
booted=0
while read -r package; do
    [[ $package != '#'* && -n $package ]] || continue
    [[ -z ${HEARTH_KERNEL:-} || $HEARTH_KERNEL == "$package" ]] || continue
    image_package=$(resolve "$package")
    [[ -n $image_package ]] || continue
    if ! image=$(fetch "$image_package") || [[ -z $image ]]; then
        fail "$package: fetched" "apt-get download $image_package failed"
        continue
    fi
    boot "$image" >"$cache/console-${image##*/vmlinuz-}"
    pass_on "${image##*/vmlinuz-}" "$cache/console-${image##*/vmlinuz-}"
    booted=$((booted + 1))
done <tests/kernels/list
ok 'at least one kernel was booted' test $booted -gt 0
done_testing
