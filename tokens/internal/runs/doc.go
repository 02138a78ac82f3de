// Package runs cuts a text into the runs that tokenizers treat alike (a word
// with the character before it, punctuation, white space, digits, ideographs,
// symbols) and adds up what each run costs in one family's [Table].
//
// [Scan] is the fast path. [Walk] is the same cut written plainly: it names the
// parameters that each run uses, the fitting program learns those parameters
// from it, and a fuzz test holds the two together. What an upper bound must allow
// for besides, strange runs and those said over and over, Scan alone gathers.
package runs
