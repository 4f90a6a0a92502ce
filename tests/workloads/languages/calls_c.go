// Go that calls C, on the system stack of its thread: main.main > main.caller > c_outer > c_leaf, for a second.
package main

/*
#include <stdint.h>
__attribute__((noinline)) static uint32_t c_leaf(uint32_t n) { volatile uint32_t s = 0; for (uint32_t i = 0; i < n; i++) s ^= i * 7; return s; }
__attribute__((noinline)) static uint32_t c_outer(uint32_t n) { return c_leaf(n) + 1; }
*/
import "C"
import (
	"fmt"
	"time"
)

//go:noinline
func caller(n uint32) uint32 { return uint32(C.c_outer(C.uint32_t(n))) + 1 }

func main() {
	var sum uint32
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		sum += caller(200000)
	}
	fmt.Println(sum)
}
