package examples_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/llmaas/llmaas-go/"

// mayImport says which packages of the module each package may import. A name
// that ends in /... is a package and all below it. What has no row may import
// none; examples may import all.
var mayImport = []struct {
	who  string
	what []string
}{
	{"guard", []string{"guard/..."}},
	{"guard/guardtest", []string{"guard/..."}},
	{"guard/check", []string{"guard/fold"}},
	{"guard/fold/...", []string{"guard/fold/..."}},
	{"guard/structure/...", []string{"guard/check", "guard/fold", "guard/structure/..."}},
	{"guard/patterns/...", []string{"guard/check", "guard/fold", "guard/patterns/..."}},
	{"guard/behavior/...", []string{"guard/check", "guard/fold", "guard/behavior/..."}},
	{"guard/output/...", []string{"guard/check", "guard/fold", "guard/output/..."}},
	{"cost/...", []string{"cost/..."}},
	{"tokens/...", []string{"tokens/..."}},
	{"lifecycle/...", []string{"lifecycle/..."}},
	{"llmaas", []string{"guard/...", "cost", "tokens", "lifecycle"}},
	{"llmaas/llmaastest", []string{"cost", "tokens", "lifecycle"}},
	{"llmaas/gateway", []string{"guard/...", "cost", "tokens", "lifecycle", "llmaas/gateway/..."}},
}

// outside says who may import which library that is not std.
var outside = map[string][]string{
	"github.com/sashabaranov/go-openai": {"llmaas/...", "examples/..."},
	"golang.org/x/text":                 {"guard/fold/..."},
	"github.com/dlclark/regexp2/v2":     {"guard/patterns", "tokens/bpe"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	packages := list(t)
	require.Greater(t, len(packages), 15, "go list found too few packages: nothing was checked")
	for _, p := range packages {
		who := strings.TrimPrefix(p.ImportPath, module)
		for _, path := range p.Imports {
			first, _, _ := strings.Cut(path, "/")
			switch inside, ours := strings.CutPrefix(path, module); {
			case ours && strings.HasPrefix(who, "examples/"):
			case ours:
				require.True(t, allowed(who, inside), "%s imports %s, which the table does not allow", who, inside)
			case strings.Contains(first, "."):
				require.True(t, mayUse(who, path), "%s imports %s, which is not its to use", who, path)
			}
		}
	}
}

// list returns every package of the module that holds more than tests.
func list(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	require.NoError(t, err)
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p goPackage
		require.NoError(t, d.Decode(&p))
		all = append(all, p)
	}
	return all
}

func allowed(who, what string) bool {
	for _, row := range mayImport {
		if matches(row.who, who) {
			return slices.ContainsFunc(row.what, func(pattern string) bool { return matches(pattern, what) })
		}
	}
	return false
}

func mayUse(who, library string) bool {
	for prefix, users := range outside {
		if library == prefix || strings.HasPrefix(library, prefix+"/") {
			return slices.ContainsFunc(users, func(pattern string) bool { return matches(pattern, who) })
		}
	}
	return false
}

func matches(pattern, path string) bool {
	root, tree := strings.CutSuffix(pattern, "/...")
	return path == root || tree && strings.HasPrefix(path, root+"/")
}
