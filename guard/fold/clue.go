package fold

// around is how much of a text is read on either side of what gives a disguise away. A whole prompt
// of common length is; of a long text with one odd word only the surroundings are.
const around = 4 << 10

// clue is a stretch of a text with words in the same disguise, and what is around them.
type clue struct {
	Span
	kind uint8
}

// clues are the stretches found in one text; those of one kind are apart and in order.
type clues struct {
	list []clue
	last [disguises]int32 // of list, plus one: the last of each kind
}

// add takes note of a word at [start, end).
func (c *clues) add(kind uint8, start, end int) {
	s := Span{max(start-around, 0), end + around}
	if i := c.last[kind]; i > 0 && s.Start <= c.list[i-1].End {
		c.list[i-1].End = s.End
		return
	}
	c.list = append(c.list, clue{s, kind})
	c.last[kind] = int32(len(c.list))
}

// stretches are those of one kind, of v.raw if raw.
func (c *clues) stretches(kind uint8, v *View, raw bool) (spans []Span) {
	for _, one := range c.list {
		switch s := (Span{runeStart(v.Text, one.Start), runeStart(v.Text, min(one.End, len(v.Text)))}); {
		case one.kind != kind:
		case raw:
			spans = append(spans, v.span(s.Start, s.End))
		default:
			spans = append(spans, s)
		}
	}
	return spans
}
