package main

import "os"

var sink int

func leaf(value int) {
	sink = value * 3
	sink ^= 0x1234567
}

func middle(value int) {
	leaf(value + sink)
}

type server struct{ count int }

//go:noinline
func (s *server) outer(value int) {
	middle(value)
	s.count++
}

func main() {
	s := &server{}
	s.outer(len(os.Args))
	func() {
		sink++
	}()
	os.Exit(sink & 1)
}
