package access

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// timingFaults says where a file of the package could tell a caller, by how long
// it takes, something about secrets that are kept: where a hash is compared other
// than by sameHash, looked up, or used to leave early.
func timingFaults(t *testing.T, name, source string) (faults []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, 0)
	require.NoError(t, err)
	report := func(n ast.Node, what string) {
		faults = append(faults, fmt.Sprintf("%s: %s", files.Position(n.Pos()), what))
	}
	// secret reports whether a value is a hash, or comes of one.
	secret := func(n ast.Node) (found bool) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok {
					if f.Name == "sameHash" {
						return false // one bit, and that in constant time
					}
					found = found || f.Name == "digestOf"
				}
			case *ast.SelectorExpr:
				found = found || n.Sel.Name == "Hash"
			case *ast.Ident:
				found = found || n.Name == "sent" || n.Name == "hash"
			}
			return !found
		})
		return found
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op != token.LAND && n.Op != token.LOR && (secret(n.X) || secret(n.Y)) {
				report(n, "an operator on a hash")
			}
		case *ast.IndexExpr:
			if secret(n.Index) {
				report(n, "a look-up by a hash")
			}
		case *ast.MapType:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Digest" {
				report(n, "a map by hashes")
			}
		case *ast.SwitchStmt:
			if n.Tag != nil && secret(n.Tag) {
				report(n, "a switch on a hash")
			}
		case *ast.CallExpr:
			f, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, _ := f.X.(*ast.Ident)
			for _, arg := range n.Args {
				if of != nil && (of.Name == "bytes" || of.Name == "strings" || of.Name == "slices" || of.Name == "reflect") && secret(arg) && f.Sel.Name != "ContainsFunc" && f.Sel.Name != "DeleteFunc" {
					report(n, "a comparison of a hash by package "+of.Name)
				}
			}
		case *ast.FuncDecl:
			switch n.Name.Name {
			case "sameHash":
				if len(n.Body.List) != 1 || !strings.Contains(text(files, source, n.Body), "subtle.ConstantTimeCompare(a[:], b[:]) == 1") {
					report(n, "sameHash is more than one comparison in constant time")
				}
			case "match":
				leavesEarly(n.Body, func(n ast.Node) { report(n, "match ends before it has compared all") })
			case "Authenticate":
				if what := outOfOrder(text(files, source, n.Body)); what != "" {
					report(n, what)
				}
			}
		}
		return true
	})
	return faults
}

func text(files *token.FileSet, source string, n ast.Node) string {
	return source[files.Position(n.Pos()).Offset:files.Position(n.End()).Offset]
}

// leavesEarly finds what ends a loop before its last round.
func leavesEarly(body *ast.BlockStmt, report func(ast.Node)) {
	for _, statement := range body.List {
		loop, ok := statement.(*ast.RangeStmt)
		if !ok {
			continue
		}
		if bound, ok := loop.X.(*ast.Ident); !ok || bound.Name != "maxSecrets" {
			report(loop)
		}
		ast.Inspect(loop.Body, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.ReturnStmt, *ast.BranchStmt:
				report(n)
			}
			return true
		})
	}
}

// outOfOrder says whether a key that does not exist is treated otherwise than one
// whose secret is wrong: between the look-up and the comparison nobody leaves.
func outOfOrder(body string) string {
	at := 0
	for _, step := range []string{"parseToken(token)", "digestOf(token)", "ix.keys[id]", "key = nobody", "key.match(sent)", "Revoked"} {
		next := strings.Index(body[at:], step)
		if next < 0 {
			return "Authenticate does not come to " + step + " in its turn"
		}
		if between := body[at : at+next]; step != "digestOf(token)" && step != "Revoked" && strings.Contains(between, "return") {
			return "Authenticate leaves before " + step
		}
		at += next
	}
	return ""
}

// TestHashesAreComparedInConstantTime reads the package: in it, nothing compares
// a hash but sameHash, and no way out lies between looking a key up and comparing
// its secrets. That each rule can fail is shown on a change of the package.
func TestHashesAreComparedInConstantTime(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	sources := make(map[string]string)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		sources[path] = string(data)
		require.Empty(t, timingFaults(t, path, string(data)))
	}
	require.Greater(t, len(sources), 5)
	for _, change := range []struct{ from, to string }{
		{"sameHash(sent, s.Hash)", "sent == s.Hash"},
		{"sameHash(sent, s.Hash)", "bytes.Equal(sent[:], s.Hash[:])"},
		{"sameHash(sent, s.Hash)", "string(sent[:]) == string(s.Hash[:])"},
		{"sameHash(sent, s.Hash)", "ix.hashes[sent]"},
		{"found, ok = *s, i < len(k.Secrets)", "return *s, true"},
		{"found, ok = *s, i < len(k.Secrets)", "found, ok = *s, true\nbreak"},
		{"range maxSecrets", "range k.Secrets"},
		{"key = nobody", "return Principal{}, ErrUnknown"},
		{"sent := digestOf(token)", ""},
		{"func (k *Keys) Authenticate(", "var byHash map[Digest]*Key\nfunc (k *Keys) Authenticate("},
		{"return subtle.ConstantTimeCompare(a[:], b[:]) == 1", "return a == b"},
		{"return subtle.ConstantTimeCompare(a[:], b[:]) == 1", "if a[0] != b[0] { return false }\nreturn subtle.ConstantTimeCompare(a[:], b[:]) == 1"},
	} {
		changed := strings.Replace(sources["principal.go"], change.from, change.to, 1)
		require.NotEqual(t, sources["principal.go"], changed, change.from)
		require.NotEmpty(t, timingFaults(t, "principal.go", changed), change.to)
	}
}

// TestWrongKeysTakeAsLong measures what is refused as unknown: the fastest of many
// rounds, so that noise counts for nothing; and because it can only ever make
// rounds slower, one attempt of five in which all are alike is enough. A key that
// is left early, without a hash, is refused in half the time.
func TestWrongKeysTakeAsLong(t *testing.T) {
	k := newKeys(t, Options{})
	key, right := mint(t, k, NewKey{})
	rotated, _ := mint(t, k, NewKey{})
	for range maxSecrets {
		_, err := k.Rotate(t.Context(), rotated.ID, time.Hour, start)
		require.NoError(t, err)
	}
	revoked, _ := mint(t, k, NewKey{})
	require.NoError(t, k.Revoke(t.Context(), revoked.ID, start))
	wrong := func(id, secret string) string {
		body := tokenPrefix + id + "_" + secret
		return body + checksum(body)
	}
	secret := right[len(tokenPrefix)+idLen+1 : tokenLen-sumLen]
	swap := func(at int) string { // one letter is another
		c := "a"
		if c == secret[at:at+1] {
			c = "b"
		}
		return secret[:at] + c + secret[at+1:]
	}
	tokens := map[string]string{
		"no such key":            wrong(strings.Repeat("z", idLen), secret),
		"the first letter wrong": wrong(key.ID, swap(0)),
		"the last letter wrong":  wrong(key.ID, swap(secretLen-1)),
		"a revoked key":          wrong(revoked.ID, secret),
		"a key of four secrets":  wrong(rotated.ID, secret),
	}
	allocs := testing.AllocsPerRun(100, func() { k.Authenticate(right, start) })
	for name, token := range tokens {
		requireAuth(t, k, token, start, ErrUnknown)
		require.Equal(t, allocs, testing.AllocsPerRun(100, func() { k.Authenticate(token, start) }), name)
	}
	for attempt := 1; ; attempt++ {
		fastest := make(map[string]time.Duration)
		for range 500 {
			for name, token := range tokens {
				begin := time.Now()
				for range 20 {
					k.Authenticate(token, start)
				}
				if took := time.Since(begin); fastest[name] == 0 || took < fastest[name] {
					fastest[name] = took
				}
			}
		}
		least, most := fastest["no such key"], fastest["no such key"]
		for _, took := range fastest {
			least, most = min(least, took), max(most, took)
		}
		if float64(most) <= 1.25*float64(least) {
			return
		}
		require.Less(t, attempt, 5, "%v", fastest)
	}
}
