// Package patterns is the layer of the guard that looks for what attacks say:
// rules written in plain files, matched over the folded text.
package patterns
