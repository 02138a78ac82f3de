// Package verify checks what the gateway shows to other programs with those
// programs: the console with a headless Chromium, the metrics with promtool. It
// builds and runs examples/gateway for that. It is a module of its own, so that
// nobody who uses the library downloads what it needs:
//
//	apt-get install chromium prometheus
//	cd llmaas/gateway/console/internal/verify && go test ./...
//
// A missing program is a failure, not a reason to skip. With SCREENSHOTS set to
// a folder, the pictures that are checked are kept there.
package verify
