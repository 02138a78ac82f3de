package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/llmaas/llmaas-go/examples/gateway/host"
)

// become replaces this process by the same program with a Redis client in it: so
// there is one process to signal, to wait for and to ask for its exit code. It
// returns only when that fails.
func become(ctx context.Context, _ host.Redis) (host.Shared, error) {
	source, err := withClient(ctx)
	if err != nil {
		return host.Shared{}, err
	}
	dir, err := os.MkdirTemp("", "llmaas-gateway-")
	if err != nil {
		return host.Shared{}, err
	}
	program := filepath.Join(dir, "gateway")
	fmt.Fprintln(os.Stderr, "gateway: building the program with a Redis client in it")
	build := exec.CommandContext(ctx, "go", "build", "-C", source, "-o", program, ".")
	build.Env = append(os.Environ(), "GOWORK=off")
	build.Stderr = os.Stderr
	if err = build.Run(); err == nil {
		err = syscall.Exec(program, os.Args, append(os.Environ(), host.Temporary+"="+program))
	}
	if ctx.Err() != nil {
		return host.Shared{}, errors.Join(context.Cause(ctx), os.RemoveAll(dir))
	}
	return host.Shared{}, errors.Join(
		fmt.Errorf("this program has no Redis client in it: run what go build -C %s -o gateway . makes: %w", source, err),
		os.RemoveAll(dir))
}

// withClient finds the source of the program with a client: beside the source
// of this one, or of the module in the current folder.
func withClient(ctx context.Context) (string, error) {
	_, file, _, _ := runtime.Caller(0)
	here := filepath.Dir(file)
	if !filepath.IsAbs(here) { // built with -trimpath
		out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "github.com/llmaas/llmaas-go/examples/gateway").Output()
		if err != nil {
			out = nil
		}
		here = strings.TrimSpace(string(out))
	}
	source := filepath.Join(filepath.Dir(here), "cluster", "gateway")
	if _, err := os.Stat(filepath.Join(source, "main.go")); err != nil {
		return "", errors.New("this program has no Redis client in it, and its source is not at hand: " +
			"in a clone of the repository, run what go build -C examples/cluster -o gateway ./gateway makes")
	}
	return source, nil
}
