// Fakebackend is the fake service as a process, for tests that are not written
// in Go:
//
//	go run ./examples/fakebackend -addr 127.0.0.1:18080 -key sk-test
//
// It prints its base URL, answers until it is interrupted, and counts requests at
// /stats. A prompt that holds fault:429:NONCE (or 500, 503) fails once for each
// nonce; one that holds slow-stream streams for ten seconds.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

func main() {
	flags := flag.NewFlagSet("fakebackend", flag.ExitOnError)
	addr := flags.String("addr", "127.0.0.1:0", "where to listen")
	key := flags.String("key", "", "the key to accept; none means any")
	ttft := flags.Duration("ttft", 0, "wait before the first token")
	delay := flags.Duration("delay", 0, "wait before each further token")
	_ = flags.Parse(os.Args[1:]) // it exits
	if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "fakebackend: got the arguments %q, want flags alone; -h lists them\n", flags.Args())
		os.Exit(2)
	}
	backend := &llmaastest.Backend{TTFT: *ttft, TokenDelay: *delay, Triggers: &llmaastest.Triggers{}}
	if *key != "" {
		backend.Keys = []string{*key}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *addr, backend); err != nil {
		fmt.Fprintln(os.Stderr, "fakebackend:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, addr string, backend *llmaastest.Backend) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w: choose another -addr", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", backend)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(backend.Stats()) // the caller went away: nobody to tell
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	fmt.Printf("BASE_URL=http://%s/v1\nSTATS_URL=http://%s/stats\n", ln.Addr(), ln.Addr())
	go func() {
		<-ctx.Done()
		_ = srv.Close()
	}()
	if err := srv.Serve(ln); err != http.ErrServerClosed {
		return err
	}
	return nil
}
