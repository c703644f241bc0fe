package redact

import "math/bits"

// A lookup finds places of secrets by the first characters there. It may be nil: there are none.
type lookup struct {
	secrets [][]byte // folded
	places  []place
	first   []int32 // by hash, the last of the places with it, counted from 1
	next    []int32 // by place, the one before it with the same hash
}

// place is a place of a secret.
type place struct{ secret, at int32 }

// A long secret, such as a private key or a signature, is not looked up at each place, so that it takes little memory:
// that finds the parts of it that stand as a whole.
const (
	longSecret = 64
	longStep   = leastPart - leastPiece + 1
)

func newLookup(secrets [][]byte) *lookup {
	if len(secrets) == 0 {
		return nil
	}
	places := 0
	for _, secret := range secrets {
		places += len(secret)/stepIn(secret) + 1
	}
	l := &lookup{secrets: secrets, places: make([]place, 0, places)}
	for n, secret := range secrets {
		for at := 0; at+leastPiece <= len(secret); at += stepIn(secret) {
			l.places = append(l.places, place{int32(n), int32(at)})
		}
	}
	size := 1 << bits.Len(uint(len(l.places)))
	both := make([]int32, size+len(l.places)+1)
	l.first, l.next = both[:size], both[size:]
	for i, p := range l.places {
		h := l.hash(secrets[p.secret][p.at:])
		l.next[i+1], l.first[h] = l.first[h], int32(i+1)
	}
	return l
}

// stepIn is at every how many characters a secret is looked up.
func stepIn(secret []byte) int {
	if len(secret) > longSecret {
		return longStep
	}
	return 1
}

// hash is of the first characters of a piece.
func (l *lookup) hash(piece []byte) uint32 {
	four := uint32(piece[0]) | uint32(piece[1])<<8 | uint32(piece[2])<<16 | uint32(piece[3])<<24
	return four * 0x9E3779B1 >> 16 & uint32(len(l.first)-1)
}

// each calls a function with the places of secrets that may be what stands at a place of a text.
func (l *lookup) each(text []byte, found func(secret []byte, at int)) {
	if l == nil {
		return
	}
	for n := l.first[l.hash(text)]; n > 0; n = l.next[n] {
		p := l.places[n-1]
		found(l.secrets[p.secret], int(p.at))
	}
}

// runs adds the places of parts of secrets that stand as a whole in a text.
func (l *lookup) runs(found []span, f folded) []span {
	for i, end := 0, 0; i+leastPiece <= len(f.text); i = max(i+1, end-leastPiece) {
		l.each(f.text[i:], func(secret []byte, at int) {
			back := commonBefore(f.text[:i], secret[:at])
			if length := back + common(f.text[i:], secret[at:]); length >= needed(secret) {
				end = max(end, i-back+length)
				found = append(found, f.place(i-back, i-back+length))
			}
		})
	}
	return found
}

// pieces adds the places of parts of secrets that may have been taken apart in a text.
func (l *lookup) pieces(found []span, f folded) []span {
	for i, end := 0, 0; i+leastPiece <= len(f.text); i = max(i+1, end-leastPiece) {
		l.each(f.text[i:], func(secret []byte, at int) {
			back := commonBefore(f.text[:i], secret[:at])
			if length, to := follow(f.text, i-back, secret[at-back:]); length >= needed(secret) {
				end = max(end, to)
				found = append(found, f.place(i-back, to))
			}
		})
	}
	return found
}

// follow follows a secret through a text, piece by piece: how much of it there is, and where that ends.
func follow(text []byte, i int, secret []byte) (length, end int) {
	n := common(text[i:], secret)
	if n < leastPiece {
		return 0, i
	}
	for {
		length, i, secret = length+n, i+n, secret[n:]
		end = i
		gap, lost := 0, 0
		if gap, lost, n = nextPiece(text[i:], secret); n == 0 {
			return length, end
		}
		i, secret = i+gap, secret[lost:]
	}
}

// nextPiece is the nearest piece with which a text goes on with a secret: behind how many characters of the text and of
// the secret it begins, and how long it is; 0 when there is none.
func nextPiece(text, secret []byte) (gap, lost, length int) {
	for gap = 0; gap <= maxBetween && gap+leastPiece <= len(text); gap++ {
		for lost = 0; lost <= maxLost && lost+leastPiece <= len(secret); lost++ {
			if length = common(text[gap:], secret[lost:]); length >= leastPiece {
				return gap, lost, length
			}
		}
	}
	return 0, 0, 0
}

// place is where a run of letters and digits stands in the text, which may be read backwards.
func (f folded) place(from, to int) span {
	if f.at == nil {
		return span{}
	}
	a, b := f.at[from], f.at[to-1]
	return span{min(a.start, b.start), max(a.end, b.end)}
}

// common is how many bytes two texts begin with alike.
func common(a, b []byte) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// commonBefore is how many bytes two texts end with alike.
func commonBefore(a, b []byte) (n int) {
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
