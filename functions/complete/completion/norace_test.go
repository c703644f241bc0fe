//go:build !race

package completion_test

const racing = 1
