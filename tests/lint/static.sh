#!/bin/bash
# check: 1200 s, long
# Static analysis of everything: cppcheck over the C, shellcheck over the scripts.
. tests/tap.sh

mapfile -t code < <(git ls-files --cached --others --exclude-standard '*.c' | grep -v '^tests/workloads/\|^tests/bench/\|\.bpf\.c$')
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard '*.sh' .ci/run .ci/install tests/run tests/fuzz/run tests/kernels/guest tests/kernels/init)

# The includes of the system are not read: cppcheck knows libc by itself. Its advice about style is not asked
# for; a signed shift to the right is what gcc and clang say it is; and it
# does not know __attribute__((cleanup)): the leak sanitizer of the unit tests does. What it
# says of uninitialized variables of `list[count++] = (struct x){...}` and of
# embedded files' ends is wrong. Version 2.17 also dislikes the address of a local variable in a structure of the caller's that
# is emptied before the return, and tests that do not ask whether malloc() and fopen() worked: they end there.
# What it said of a file that has not changed since, with all that the file includes, stands in build/cppcheck.
mkdir -p build/cppcheck
ok 'cppcheck has nothing to say' cppcheck --quiet --cppcheck-build-dir=build/cppcheck -j "$(nproc)" --std=c11 --language=c --inline-suppr --error-exitcode=1 \
    --enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    --suppress=unknownMacro --suppress=shiftTooManyBitsSigned \
    --suppress=memleak --suppress=leakNoVarFunctionCall --suppress=resourceLeak --suppress=internalAstError \
    --suppress=legacyUninitvar --suppress=uninitvar --suppress=unknownEvaluationOrder --suppress=comparePointers \
    --suppress=subtractPointers --suppress=autoVariables --suppress='nullPointerOutOfMemory:tests/*' \
    --suppress='nullPointerArithmeticOutOfMemory:tests/*' --suppress='nullPointerOutOfResources:tests/*' --max-configs=2 -D_GNU_SOURCE -I. "${code[@]}"
ok 'shellcheck has nothing to say' shellcheck --severity=warning --shell=bash --source-path=. --external-sources "${scripts[@]}"
done_testing
