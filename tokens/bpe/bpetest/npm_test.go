package bpetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/llmaas/llmaas-go/tokens/bpe"
)

const npmPackage = "tiktoken@1.0.22"

// npmDir installs the package once into the user's cache.
var npmDir = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "llmaas-bpetest", npmPackage)
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "tiktoken", "package.json")); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefix", dir, npmPackage)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install: %w\n%s", err, out)
	}
	return dir, nil
})

// ranks turns npm's file into tiktoken's format: its lines are "! first token
// token …", the ranks counting up from first.
func ranks(t testing.TB, name string) (file []byte, pattern string) {
	t.Helper()
	dir, err := npmDir()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "node_modules", "tiktoken", "encoders", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var enc struct {
		Pattern string `json:"pat_str"`
		Ranks   string `json:"bpe_ranks"`
	}
	if err := json.Unmarshal(raw, &enc); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for line := range strings.Lines(enc.Ranks) {
		words := strings.Fields(line)
		first, err := strconv.Atoi(words[1])
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range words[2:] {
			fmt.Fprintln(&out, w, first+i)
		}
	}
	return out.Bytes(), enc.Pattern
}

func encoding(t testing.TB, name string) *bpe.Encoding {
	t.Helper()
	file, pattern := ranks(t, name)
	if want := map[string]string{"cl100k_base": bpe.CL100K, "o200k_base": bpe.O200K}[name]; pattern != want {
		t.Fatalf("%s: npm has another pattern: %q", name, pattern)
	}
	enc, err := bpe.New(bytes.NewReader(file), bpe.Options{Pattern: pattern})
	if err != nil {
		t.Fatal(err)
	}
	return enc
}

const script = `
const { get_encoding } = require("tiktoken");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const enc = get_encoding(process.argv[1]);
console.log(JSON.stringify(texts.map(t => enc.encode_ordinary(t).length)));`

// reference counts texts with npm's tiktoken.
func reference(t *testing.T, name string, texts []string) (counts []int) {
	t.Helper()
	dir, err := npmDir()
	if err != nil {
		t.Fatal(err)
	}
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "-e", script, name)
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &counts); err != nil {
		t.Fatal(err)
	}
	return counts
}
