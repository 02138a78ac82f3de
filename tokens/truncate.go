package tokens

// Truncate returns the longest start of text that Estimate bounds by n tokens,
// cut between grapheme clusters (UAX #29), so that no letter loses its accent
// and no emoji its skin tone. The work is that of some thirty estimates of what
// is kept.
func (e *Estimator) Truncate(text string, n int) string {
	if n <= 0 {
		return ""
	}
	// Double until it no longer fits, then halve the gap.
	fits, over := 0, min(4*n, len(text))
	for e.Estimate(text[:over]).High <= n {
		if fits = over; over == len(text) {
			return text
		}
		over = min(2*over, len(text))
	}
	for over-fits > 1 {
		if mid := fits + (over-fits)/2; e.Estimate(text[:mid]).High <= n {
			fits = mid
		} else {
			over = mid
		}
	}
	// A shorter text can be dearer by a token or two at the cut.
	for end := boundaryBefore(text, fits); ; end = boundaryBefore(text, end-1) {
		if end <= 0 || e.Estimate(text[:end]).High <= n {
			return text[:max(end, 0)]
		}
	}
}
