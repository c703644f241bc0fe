package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// confirm asks before anything is done. Without an answer nothing is.
func confirm(t terminal, stdin io.Reader, yes bool, question string) error {
	if yes {
		return nil
	}
	fmt.Fprintf(t.err, "%s [y/N] ", clean(question))
	line, err := bufio.NewReader(stdin).ReadString('\n')
	switch answer := strings.ToLower(strings.TrimSpace(line)); {
	case answer == "y" || answer == "yes":
		return nil
	case err != nil && answer == "":
		fmt.Fprintln(t.err)
		return errors.New("nobody answered, so nothing was done; give --yes in a script")
	}
	return errors.New("nothing was done")
}

// onTerminal tells whether a file is a terminal.
func onTerminal(f *os.File) bool {
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0
}
