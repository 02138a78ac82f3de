// Package verify checks what package lifecycle writes for other programs with
// those programs: the timeline with a headless Chromium, the calendar with two
// iCalendar parsers. It is a module of its own, so that nobody who uses the
// library downloads them:
//
//	apt-get install chromium
//	cd lifecycle/internal/verify && go test ./...
//
// A missing Chromium is a failure, not a reason to skip.
package verify
