// SPDX-License-Identifier: MIT
// Go: refused. A goroutine that waits may go on in another thread, whose
// innermost frame is not the one that the goroutine left.
package main

func main() {
	println(len(make([]int, 3)))
}

// variants: -O0|-O2
// error: go1: error: alloctrace: Go is not supported: goroutines change stacks and threads below the functions that run in them
