//go:build !race

package action_test

const racing = 1
