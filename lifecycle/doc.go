// Package lifecycle is the catalogue that knows which model will be gone, and when.
package lifecycle
