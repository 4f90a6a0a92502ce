#!/bin/bash
# check: 1200 s, long
# Static analysis of everything: cppcheck over the C, shellcheck over the scripts.
. tests/tap.sh

mapfile -t code < <(git ls-files --cached --others --exclude-standard '*.c' | grep -v '^tests/workloads/\|^tests/bench/\|\.bpf\.c$')
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard '*.sh' .ci/run .ci/install tests/run tests/fuzz/run tests/kernels/guest tests/kernels/init)

# cppcheck does not read the includes of the system, since it knows libc by itself, and is not asked about style. gcc and
# clang define a signed shift to the right. cppcheck does not know __attribute__((cleanup)), which the leak sanitizer of the
# unit tests checks. Its warnings of uninitialized variables in `list[count++] = (struct x){...}` and of the ends of embedded
# files are wrong. Version 2.17 also warns of the address of a local variable in a structure of the caller's that is emptied
# before the return, and of tests that do not ask whether malloc() and fopen() worked: those crash then, and so fail. Where
# such a pointer goes to another file, the warning is on the function that is called.
# cppcheck keeps its results in build/cppcheck, and reads again the files that changed themselves or in their includes.
mkdir -p build/cppcheck
ok 'cppcheck has nothing to say' cppcheck --quiet --cppcheck-build-dir=build/cppcheck -j "$(nproc)" --std=c11 --language=c --inline-suppr --error-exitcode=1 \
    --enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    --suppress=preprocessorErrorDirective --suppress=unknownMacro --suppress=shiftTooManyBitsSigned \
    --suppress=memleak --suppress=leakNoVarFunctionCall --suppress=resourceLeak --suppress=internalAstError \
    --suppress=legacyUninitvar --suppress=uninitvar --suppress=unknownEvaluationOrder --suppress=comparePointers \
    --suppress=subtractPointers --suppress=autoVariables --suppress='nullPointerOutOfMemory:tests/*' \
    --suppress='nullPointerArithmeticOutOfMemory:tests/*' --suppress='nullPointerOutOfResources:tests/*' \
    --suppress=ctunullpointerOutOfMemory --suppress=ctunullpointerOutOfResources --suppress=ctuuninitvar --max-configs=2 -D_GNU_SOURCE -I. "${code[@]}"
ok 'shellcheck has nothing to say' shellcheck --severity=warning --shell=bash --source-path=. --external-sources "${scripts[@]}"
done_testing
