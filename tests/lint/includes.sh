#!/bin/bash
# Who may include whom: one line a folder. Every folder may include its own files, and all but those of bpf/ store/base
# and, above that, store/system.
# Behind that: which of our own folders may include a library's header.
. tests/tap.sh

files() { git ls-files --cached --others --exclude-standard "$@"; }

# `FILE: "INCLUDED"` of each of our own includes in the files given.
ours() { grep -oHE '^ *# *include "[^"]+"' "$@" /dev/null | sed -E 's/: *# *include /: /'; }

# Prints the includes that are not allowed.
strangers() { # PATTERN FILE...
    local allowed=$1
    shift
    [[ $# -eq 0 ]] || ours "$@" | grep -vE ": \"($allowed)\"" || true
}

ruled=()
may_include() { # FOLDER [FOLDER|HEADER]...
    local folder=$1 allowed="$1/[^/]+" other own
    shift
    [[ $folder == bpf* ]] || allowed+="|store/base/[^/]+"
    [[ $folder == bpf* || $folder == store/base ]] || allowed+="|store/system/[^/]+"
    for other in "$@"; do
        case $other in
        *.h | *.def) allowed+="|$other" ;;
        *) allowed+="|$other/[^/]+" ;;
        esac
    done
    ruled+=("$folder")
    mapfile -t own < <(files ":(glob)$folder/*.[ch]" ":(glob)$folder/*.def")
    is "$folder includes itself and $*" "$(strangers "$allowed" "${own[@]}")" ''
}

lists='bpf/wire/[a-z_]+\.def'
may_include bpf/wire bpf/arch/registers.h
may_include bpf/arch bpf/arch/[a-z0-9_]+
may_include bpf/arch/x86_64 bpf/common/vmlinux.h bpf/wire
may_include bpf/common bpf/wire bpf/arch
may_include bpf/unwind bpf/{common,arch,wire}
may_include bpf bpf/{unwind,common,arch,wire}

may_include store/base
may_include store/system
may_include store
may_include store/reader store
may_include store/sql store store/reader
may_include store/writer store
may_include store/directory store store/{reader,writer}

may_include symbolizer/arch bpf/{arch/registers,wire/unwind_rows}.h
may_include symbolizer/arch/x86_64 symbolizer/arch
may_include symbolizer/arch/aarch64 symbolizer/arch
may_include symbolizer/jail
may_include symbolizer/index
may_include symbolizer/opening symbolizer/jail
may_include symbolizer/elf symbolizer/{opening,arch}
may_include symbolizer/jit symbolizer/opening
may_include symbolizer/companions symbolizer/{elf,opening}
may_include symbolizer/symbols symbolizer/{elf,index,arch}
may_include symbolizer/kernel symbolizer/{symbols,elf,opening}
may_include symbolizer/unwind symbolizer/{elf,arch} bpf/{arch/registers,wire/unwind_rows,wire/guest}.h "$lists"
may_include symbolizer/dwarf symbolizer/{companions,elf,index,jail}
may_include symbolizer/go symbolizer/{dwarf,symbols,elf}
may_include symbolizer/guests symbolizer/{unwind,arch} bpf/wire/guest.h
may_include symbolizer/worker symbolizer/{guests,go,dwarf,unwind,symbols,companions,jit,elf,index,jail}
may_include symbolizer/naming symbolizer/{worker,kernel,symbols,companions,jit,elf,opening,index}
may_include symbolizer symbolizer/{naming,elf,jail}

may_include report/text store/sql
may_include report/profile report/text store store/reader "$lists"
may_include report/imports report/text store store/writer
may_include report/histograms report/text store
may_include report/formats report/{histograms,profile,text} store/reader
may_include report/query report/{imports/imported.h,formats,histograms,profile,text} store/reader
may_include report/top report/{profile,text} store/reader
may_include report/serve report/{query,imports/imported.h,formats,histograms,profile,text} store/reader
may_include report/commands store/frame_kinds.def report/{serve,query,formats,text} store/reader symbolizer symbolizer/{guests,unwind,symbols,jit,opening,arch}

# Of report its doors: the request, its histograms and output, and the commands.
may_include collector/arch collector/arch/[a-z0-9_]+
may_include collector/arch/x86_64 collector/arch
may_include collector/who store symbolizer/{elf,opening} bpf/wire/wire.h
may_include collector/programs collector/who symbolizer/{worker,opening} bpf/wire/wire.h
may_include collector/probes collector/{programs,who,arch} symbolizer/{symbols,companions,elf,opening,arch}
may_include collector/sources collector/{probes,programs,who} store symbolizer/{symbols,arch} bpf/wire/wire.h "$lists"
may_include collector/naming collector/who store symbolizer symbolizer/{naming,worker,guests} bpf/wire/{guest.h,guests.def}
may_include collector/unwinding collector/{naming,programs,who} symbolizer/{worker,unwind,elf} bpf/wire/wire.h
may_include collector/keep collector/{sources,probes,naming,programs,who} store store/writer bpf/wire/wire.h "$lists"
may_include collector/session bpf/wire/guests.def collector/{keep,sources,probes,unwinding,naming,programs,who} store/writer \
    symbolizer/{worker,opening} bpf/wire/wire.h
may_include collector/metrics store bpf/wire/wire.h "$lists"
may_include collector/pprof collector/metrics store symbolizer/jail/packet.h \
    report/{query/report,serve/child,serve/question,serve/admission,text/text}.h
may_include collector/daemon collector/{metrics,pprof,session,sources,programs,who} store store/{directory,writer} report/text/text.h
may_include collector/help
may_include collector bpf/wire/guests.def collector/{help,daemon,session,keep,sources,probes,programs} symbolizer/{symbols,opening} \
    report/{query/report,query/filter,top/top_screen,profile/stack_filter,histograms/histogram_view,text/output}.h 'report/commands/cmd_[a-z_]+.h'

is 'every folder has its line above' "$(files '*.[ch]' | grep -v '^tests/' | sed 's|/[^/]*$||' | sort -u)" "$(printf '%s\n' "${ruled[@]}" | sort)"

# Relative includes hide who is meant.
mapfile -t all < <(files '*.[ch]' '*.cc')
is 'includes are written from the root' "$(ours "${all[@]}" | grep -vE ': "[a-z]+/' || true)" ''

mapfile -t product < <(files '*.[ch]' | grep -v '^tests/')
only_in() { # FOLDER HEADER-PATTERN
    grep -lE "^ *# *include <($2)>" "${product[@]}" /dev/null | grep -vE "^$1/" || true
}
is 'sqlite3.h is included in store/ only' "$(only_in store 'sqlite3(ext)?\.h')" ''
is 'libdw is included in symbolizer/ only' "$(only_in symbolizer 'elfutils/.*|dwarf\.h|libdw.*')" ''
is 'libbpf is included in collector/ only' "$(only_in '(collector|bpf)' 'bpf/.*')" ''
done_testing
