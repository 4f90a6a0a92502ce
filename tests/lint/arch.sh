#!/bin/bash
# Names of one instruction set (registers, ELF machines, the compiler's macros) stand in the folders arch/ alone.
. tests/tap.sh

mapfile -t code < <(git ls-files --cached --others --exclude-standard '*.[ch]' '*.def' | grep -vE '^tests/|(^|/)arch/')

registers='[er](ax|bx|cx|dx|si|di|bp|sp|ip)|r(8|9|1[0-5])|orig_ax'
machine_names="$registers|\w*x86\w*|amd64|\w*aarch64\w*|arm64|EM_\w+_?64|R_AARCH64\w*|UNW_X86\w*|endbr64|TS_COMPAT"

# FILE:LINE: CODE of each line that has such a name outside of comments.
found() { # FILE...
    awk '{ sub("//.*$", ""); print FILENAME ":" FNR ": " $0 }' "$@" | grep -iP "^[^:]+:[0-9]+: .*\b($machine_names)\b" || true
}

# The CRC is the same on all: one instruction makes it faster where the processor has it.
is 'no instruction set is named outside of arch/' "$(found "${code[@]}" | grep -v '^store/base/crc32c\.c:')" ''

cat >"$TMP/bad.c" <<'END'
regs->rax = 1;
#ifdef __x86_64__
if (header.e_machine == EM_X86_64)
asm("mov %edi, %eax");
int fine = basp + extra; // rsp
END
is 'the lint finds registers, macros and machines' "$(found "$TMP/bad.c" | sed 's/.*bad.c:\([0-9]*\):.*/\1/' | tr '\n' ' ')" '1 2 3 4 '

# Each arch/ offers the same files for every instruction set that has a folder in all of them.
missing=''
for folder in bpf/arch/*/ symbolizer/arch/*/ collector/arch/*/; do
    [[ ${folder%/} == symbolizer/arch/aarch64 ]] && continue # reads its ELF files only
    for file in "${folder%/*/}"/x86_64/*; do
        [[ -e $folder${file##*/} ]] || missing+="$folder${file##*/} "
    done
done
is 'every instruction set has the same files' "$missing" ''
done_testing
