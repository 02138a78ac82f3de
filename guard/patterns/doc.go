// Package patterns is the layer of the guard that looks for what attacks say:
// rules in plain files, matched over the folded text in one pass.
//
//	p, err := patterns.New(patterns.Options{})
//	findings := p.Inspect(ctx, prompt, nil) // a check.Check
//
// # Rules
//
// A rule is a few lines in a *.rules file, with prompts that must make it fire
// and prompts that must not:
//
//	set ignore
//	  en  ignore, disregard, "pay no attention to"
//	  fr  ignore, ignorez, oublie
//	  zh  忽略, 无视, 無視
//
//	rule override/previous-instructions
//	  severity high
//	  why   asks the model to drop the instructions it was given
//	  match {ignore} ..4 {earlier} ..3 {orders}
//	  hit   "Ignore all previous instructions"
//	  miss  "He ignored the doctor's orders"
//
// rules/README.md is the manual of the format. The rules in that folder are
// built in. A host adds its own from any fs.FS, and may swap rules while
// prompts are being looked at:
//
//	set, err := patterns.Parse(patterns.Builtin(), os.DirFS("rules"))
//	if err != nil {
//		return err // patterns: own.rules:12: got {earlyer}, want the name of a set
//	}
//	err = set.Verify()  // runs every hit and miss
//	err = p.Replace(set) // from the next prompt on
//
// # How it scans
//
// All words and phrases of all rules stand in one automaton. It is entered only
// where one of them can begin: at the start of a word, at a character of a
// script without spaces, at a mark; filters over the first bytes turn most of
// these places away. Each literal found moves the chains that wait for it, by
// the distance in words from the step before. Nothing backtracks: for any text
// the time is linear in its length, with a factor that the rules set (the longest
// phrase, and how many patterns share a word), and no memory grows with it.
//
// A word that is repeated at once does most of its work only once more, and a
// rule that was found at all the places it is reported at is looked for no more.
//
// A scan allocates nothing but what its findings need. The built-in rules
// need about 6 MB, which all who look for just these share, and each scan that
// runs at the same time about 0.1 MB.
//
// Every view of the prompt is scanned, the decoded ones too. What is found there
// has the name of the view and the span of the encoded original. Matches of one
// rule that overlap are one finding; a rule is reported at its first four places
// in a prompt, so that findings are bounded by the rules. Findings come view by
// view, in each by their start; those of rules that count other rules are last.
//
// # Regexps
//
// A host's rule may use a regexp of package regexp2, with look-around and
// back-references, behind a prefilter of literals. It is version 2 because that
// is several times faster than version 1 and bounds its stack. Options.RegexpTime
// bounds what all of them may spend on one prompt. An expression that runs out of
// time or stack counts as found, with a reason that says so: otherwise a long
// prompt would switch the rule off. The built-in rules have no regexp.
//
// # What is not here
//
// Points, thresholds and allow-lists are the guard's. Meaning is nobody's: a
// rule sees words, and an attack in words that no rule has is not seen. Chinese
// characters are matched without segmenting words, traditional and simplified
// ones are different, and a gap counts two characters as a word.
package patterns
