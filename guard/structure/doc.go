// Package structure is the first layer of the guard: it judges the shape of a
// prompt, not its words.
//
// Package guard runs it first. Alone it is a [check.Check]:
//
//	c, err := structure.New()
//	found := c.Inspect(ctx, p, nil)
//
// # JSON
//
// A prompt that begins with { or [ (after white space or a byte order mark) is
// read as RFC 8259 JSON, in one pass and without memory. Members that give
// orders ("role": "system", "bypass": true; the table is suspects.json), two
// members of one name, and more than 512 levels are findings. A value that stops
// being JSON is a weak sign only: people paste broken JSON, and [links](…) and
// {{templates}} begin like it. Instructions inside of values are the business of
// the patterns layer, which reads the same text.
//
// # Unicode
//
// One pass over the characters beyond ASCII finds words that pass for Latin
// ones (UTS #39), text that nobody can see (tag characters, runs of variation
// selectors, zero-width characters inside words), and overrides of the reading
// direction. That a text differs from its NFKC form says little by itself: French
// spaces, "…" and all of Chinese punctuation do. Only Latin letters in another
// form are told, a remark for fullwidth ones and their like, a weak sign for
// mathematical ones.
//
// What honest text does is let through: µm, kΩ and formulas, Latin words beside
// Chinese and Japanese, case endings on acronyms (SMSка), joiners in emoji and in
// Arabic and Indic words, soft hyphens, flags.
//
// # Chat templates
//
// A control token of a known chat template (templates.json) can end the prompt's
// turn and begin another; in Markdown code it is only flagged. Lines that
// begin with the name of a speaker are a weak sign, since people paste chats.
//
// # Endings and disguises
//
// A sentence that runs out into signs and brackets which do not fit is how
// suffixes look that a program searched for. A prompt that spells all its words
// letter by letter, or in capitals at random, wants not to be read by filters.
// These rules look at how a text is set, never at what it says: a few samples of
// it, its end, and its first 4 KB.
//
// # Findings
//
// [Rules] lists the rules with an example each. A rule is reported at most eight
// times at each severity, however often the text gives reason to.
//
// # Costs
//
// Time is linear in the prompt and nothing is allocated unless there is a
// finding. At most 128 names of open objects are compared.
//
// # What is not covered
//
// JSON behind a sentence or in a code fence; other data formats; words mixed
// from scripts that share no shapes with Latin; duplicate names in objects that
// are open with more than 128 others; suffixes that are all words; letters set
// apart in scripts that have no spaces between words.
package structure
