package sandbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stateFile keeps a state on disk, so that it outlives the process: a line of JSON for each change, of which the last one
// about a thing counts. A line that was cut off by a kill is left out. Pictures are files beside it.
type stateFile struct {
	lines    *os.File
	pictures string
	failed   error // the first write that failed
}

// change is one line. One of its members is there.
type change struct {
	Complaint *Complaint `json:",omitempty"`
	Picture   *Picture   `json:",omitempty"`
	URL       *string    `json:",omitempty"`
	ID        string     `json:",omitempty"` // the picture's, or the mchid that the URL is for
	Steps     int
}

// openState reads what was kept in a directory and keeps every change there from now on.
func openState(s *State, dir string) error {
	path, pictures := filepath.Join(dir, "state.jsonl"), filepath.Join(dir, "pictures")
	if err := os.MkdirAll(pictures, 0o700); err != nil {
		return err
	}
	if err := s.load(path, pictures); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := s.compact(path); err != nil {
		return err
	}
	lines, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s.keep = &stateFile{lines: lines, pictures: pictures}
	return nil
}

func (s *State) load(path, pictures string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var c change
		if json.Unmarshal(lines.Bytes(), &c) != nil {
			continue // cut off
		}
		if err := s.restore(c, pictures); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (s *State) restore(c change, pictures string) error {
	s.steps = max(s.steps, c.Steps)
	switch {
	case c.Complaint != nil:
		s.complaints[complaintKey{c.Complaint.Merchant, c.Complaint.ID}] = c.Complaint
	case c.Picture != nil && filepath.IsLocal(c.ID):
		data, err := os.ReadFile(filepath.Join(pictures, c.ID))
		if err != nil {
			return err
		}
		c.Picture.Data = data
		s.pictures[c.ID] = *c.Picture
	case c.URL != nil:
		s.urls[c.ID] = *c.URL
	}
	return nil
}

// compact writes the file anew with one line for each thing.
func (s *State) compact(path string) error {
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_TRUNC|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	out := json.NewEncoder(file)
	var failed []error
	for _, c := range s.complaints {
		failed = append(failed, out.Encode(change{Complaint: c, Steps: s.steps}))
	}
	for id, p := range s.pictures {
		failed = append(failed, out.Encode(change{Picture: &p, ID: id, Steps: s.steps}))
	}
	for mchid, url := range s.urls {
		failed = append(failed, out.Encode(change{URL: &url, ID: mchid, Steps: s.steps}))
	}
	if err := errors.Join(append(failed, file.Close())...); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// changed keeps a complaint as it is now. The lock is held.
func (s *State) changed(c *Complaint) { s.write(change{Complaint: c, Steps: s.steps}) }

func (s *State) changedPicture(id string, p Picture) {
	if s.keep == nil {
		return
	}
	s.failed(os.WriteFile(filepath.Join(s.keep.pictures, id), p.Data, 0o600))
	s.write(change{Picture: &p, ID: id, Steps: s.steps})
}

func (s *State) changedURL(mchid, url string) {
	s.write(change{URL: &url, ID: mchid, Steps: s.steps})
}

// write appends one line. The lock is held.
func (s *State) write(c change) {
	if s.keep == nil {
		return
	}
	text, err := json.Marshal(c)
	if err == nil {
		_, err = s.keep.lines.Write(append(text, '\n'))
	}
	s.failed(err)
}

func (s *State) failed(err error) {
	if s.keep.failed == nil {
		s.keep.failed = err
	}
}

// close ends the keeping, and returns the first write that failed.
func (s *State) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keep == nil {
		return nil
	}
	err := errors.Join(s.keep.failed, s.keep.lines.Close())
	s.keep = nil
	return err
}
