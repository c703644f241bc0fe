// Package console is the page at http://127.0.0.1:3000/console that `kesu run` serves: it shows the sandbox's complaints,
// every call of the functions with the text that was signed, and switches for what can go wrong.
//
// It shows keys and signed texts, which are a sandbox's and worth nothing. No function holds this package, and it answers
// only on the loopback interface, to this machine and to its own pages.
//
// What it tells of a call it has from three sides: what the sandbox's hosts recorded, what the function logged, and what
// follows from the keys that the sandbox made. It says of every time which of them it is from.
//
// What came in from WeChat Pay, what was published of it, what is due and what a robot would show are JSON at GET
// /console/watch ([heard]). POST /console/watch/faults sets what goes wrong with notifications, and POST /console/watch/sweep
// sweeps at once.
package console
