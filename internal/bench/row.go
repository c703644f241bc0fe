package bench

import "fmt"

// Row is one figure beside its yardstick.
type Row struct {
	Figure, Yardstick string
	Unit              string // of both samples
	Ours, Its         Sample
	Limit             float64 // the ratio may be this at most, or at least if AtLeast; 0: a figure without a target
	AtLeast           bool
	Absolute          bool // Limit is of our own median, in Unit, and there is no yardstick
	Note              string
}

// Ratio is the median beside the yardstick's, or the median itself.
func (r Row) Ratio() float64 {
	if r.Absolute || len(r.Its) == 0 {
		return r.Ours.Median()
	}
	return r.Ours.Median() / r.Its.Median()
}

// Met tells whether the target is met.
func (r Row) Met() bool {
	if r.AtLeast {
		return r.Ratio() >= r.Limit
	}
	return r.Ratio() <= r.Limit
}

// target, verdict and the rest are the cells of a table.
func (r Row) target() string {
	sign, unit := "≤", " ×"
	if r.AtLeast {
		sign = "≥"
	}
	if r.Absolute {
		unit = " " + r.Unit
	}
	if r.Limit == 0 {
		return "–"
	}
	return sign + " " + number(r.Limit) + unit
}

func (r Row) ratio() string {
	if r.Absolute || len(r.Its) == 0 {
		return "–"
	}
	return fmt.Sprintf("**%.2f ×**", r.Ratio())
}

func (r Row) verdict() string {
	switch {
	case r.Limit == 0:
		return "–"
	case r.Met():
		return "met"
	}
	return "**missed**"
}

func cell(s Sample, unit string) string {
	if len(s) == 0 {
		return "–"
	}
	if s.Min() == s.Max() {
		return number(s.Median()) + " " + unit
	}
	return fmt.Sprintf("%s %s (%s–%s)", number(s.Median()), unit, number(s.Min()), number(s.Max()))
}

// number writes three significant digits or so.
func number(v float64) string {
	switch {
	case v >= 100 || v == float64(int64(v)):
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
