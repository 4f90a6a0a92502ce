// Goroutines with a known chain of calls: runtime.goexit > main.worker > main.descend 21 times > main.leaf; some maps,
// strings and garbage between. descend [SECONDS, 2]: of wall time, and longer where they do not make as much CPU time.
package main

import (
	"os"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
)

//go:noinline
func leaf(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		sum += i ^ (sum << 1)
	}
	return sum
}

//go:noinline
func descend(depth, n int) int {
	if depth == 0 {
		return leaf(n)
	}
	return descend(depth-1, n) + 1
}

func cpuTime() time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

//go:noinline
func worker(end time.Time, least time.Duration, group *sync.WaitGroup) {
	defer group.Done()
	for time.Now().Before(end) || cpuTime() < least {
		descend(20, 300000)
		numbers := map[string]int{}
		for i := 0; i < 500; i++ {
			numbers[strconv.Itoa(i*7919%503)] = i
		}
		names := make([]string, 0, len(numbers))
		for name := range numbers {
			names = append(names, name)
		}
		sort.Strings(names)
	}
}

func main() {
	seconds := 2.0
	if len(os.Args) > 1 {
		seconds, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	least := time.Duration(seconds * float64(time.Second))
	end := time.Now().Add(least)
	var group sync.WaitGroup
	for i := 0; i < 2; i++ {
		group.Add(1)
		go worker(end, least, &group)
	}
	group.Wait()
}
