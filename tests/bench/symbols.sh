#!/bin/bash
# hearth symbolize beside llvm-symbolizer: the same addresses, the same answers (tests/bench/symbols.py), and what they
# cost, over a large C++ program by g++ and by clang, libc, libLLVM, libjvm, node, and small programs of Rust and Go. The
# large ones are made once, by `make bench-symbols`. What differs is explained in tests/bench/symbols.md.
#
# symbols.sh [OPTION of symbols.py...] [FILE...]: those files in place of all that
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
out=build/bench/symbols
mkdir -p $out
export HEARTH=$PWD/build/hearth
if [[ $# -gt 0 && -f ${!#} ]]; then exec tests/bench/symbols.py --speed "$@"; fi

cat >$out/names.rs <<'END'
use std::collections::HashMap;
trait Shape { fn area(&self) -> f64; }
struct Square(f64);
impl Shape for Square { fn area(&self) -> f64 { self.0 * self.0 } }
fn main() {
    let mut words: HashMap<String, Vec<Box<dyn Shape>>> = HashMap::new();
    for word in std::env::args() {
        words.entry(word.to_uppercase()).or_default().push(Box::new(Square(word.len() as f64)));
    }
    let mut sums: Vec<_> = words.iter().map(|(k, v)| (k, v.iter().map(|s| s.area()).sum::<f64>())).collect();
    sums.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap());
    println!("{:?}", sums);
}
END
cat >$out/names.go <<'END'
package main

import (
    "encoding/json"
    "fmt"
    "net/http"
    "os"
)

func main() {
    text, err := json.Marshal(os.Args)
    fmt.Println(string(text), err, http.StatusText(len(os.Args)))
}
END
programs=(build/tests/bench/large-gcc/program build/tests/bench/large-clang/program)
rustc -O -g -o $out/names_rust $out/names.rs 2>/dev/null && programs+=("$out/names_rust")
rustc -O -g -C symbol-mangling-version=v0 -o $out/names_rust_v0 $out/names.rs 2>/dev/null && programs+=("$out/names_rust_v0")
GOCACHE=$PWD/$out/go GOFLAGS=-buildvcs=false go build -o $out/names_go $out/names.go && programs+=("$out/names_go")
for library in /lib/x86_64-linux-gnu/libc.so.6 /usr/lib/x86_64-linux-gnu/libLLVM-*.so.1 \
    /usr/lib/jvm/java-*-openjdk-*/lib/server/libjvm.so "$(command -v node)"; do
    if [[ -e $library ]]; then programs+=("$(readlink -f "$library")"); fi
done
tests/bench/symbols.py --speed "$@" "${programs[@]}"
