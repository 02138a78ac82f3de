package access

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFileStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	k := newKeys(t, Options{Store: NewFileStore(path)})
	key, token := mint(t, k, NewKey{
		Name: "ci \"quoted\" 名", Expires: start.Add(time.Hour), RotateAfter: time.Hour,
		Grant: Grant{Models: []string{"gpt-oss:*"}, Endpoints: []string{"*"}, Admin: true},
	})
	_, err := k.Rotate(t.Context(), key.ID, time.Hour, start)
	require.NoError(t, err)

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left beside it")

	again, err := New(t.Context(), Options{Store: NewFileStore(path)})
	require.NoError(t, err)
	want, _ := k.Key(key.ID)
	got, ok := again.Key(key.ID)
	require.True(t, ok)
	require.Equal(t, want, got)
	requireAuth(t, again, token, start, nil)
}

func TestFileStoreRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	good, err := State{Revision: 1, Tenants: []Tenant{{ID: "a"}}, Keys: []Key{
		{ID: strings.Repeat("a", idLen), Tenant: "a", Secrets: []SecretRecord{{}}},
	}}.Marshal()
	require.NoError(t, err)
	var state State
	require.NoError(t, state.Unmarshal(good))
	edit := func(from, to string) string { return strings.Replace(string(good), from, to, 1) }
	rows := []struct {
		file string
		mode os.FileMode
		err  string
	}{
		{string(good), 0o600, ""},
		{string(good), 0o640, "want a file of mode 0600"},
		{string(good), 0o604, "want a file of mode 0600"},
		{"", 0o600, "EOF"},
		{string(good[:len(good)/2]), 0o600, "unexpected EOF"},
		{string(good) + "x", 0o600, "more after"},
		{edit(`"tier"`, `"teir"`), 0o600, "teir"},
		{edit(`"id":"a"`, `"id":"b"`), 0o600, "want one that exists"},
		{edit(`"id":"a",`, `"id":"",`), 0o600, "empty tenant"},
		{edit(`"id":"aa`, `"id":"a`), 0o600, "bad key id"},
		{edit(`"id":"aa`, `"id":"a!`), 0o600, "bad key id"},
		{edit(`"revision": 1`, `"revision": -1`), 0o600, "negative revision"},
		{edit(`"tenant":"a"`, `"tenant":""`), 0o600, "empty tenant"},
		{regexp.MustCompile(`"secrets":\[.*\]}`).ReplaceAllString(string(good), `"secrets":[]}`), 0o600, "got 0 secrets"},
		{edit(`"name":""`, `"name":"a\nb"`), 0o600, "control characters"},
		{edit(`"tier":""`, `"tier":"`+strings.Repeat("x", maxName+1)+`"`), 0o600, "257 bytes"},
		{edit(`0000`, `00`), 0o600, "digits"},
		{edit(`0000`, `zzzz`), 0o600, "hexadecimal"},
		{edit(`"models":null`, `"models":["a*b"]`), 0o600, "star"},
		{edit(`"tenants": [`, `"tenants": [{"id":"b"},`), 0o600, "out of order"},
		{edit(`"revision": 1`, `"revision": 1, "revision": 1`), 0o600, "field twice: revision"},
		{edit(`"revision": 1`, `"revision": 1, "Revision": 1`), 0o600, "small letters"},
		{edit(`"revision": 1`, `"Revision": 1`), 0o600, "small letters"},
		{edit(`"revision": 1`, `"revi\u017fion": 1`), 0o600, "small letters"},
		{edit(`"id":"a"`, `"id":"b","id":"a"`), 0o600, "field twice: id"},
		{edit(`"admin":false`, `"admin":false,"\u0061dmin":true`), 0o600, "field twice: admin"},
		{edit(`"tenants": [`, `"tenants": `+strings.Repeat("[", 20_000)), 0o600, "max depth"},
	}
	for i, row := range rows {
		require.NoError(t, os.WriteFile(path, []byte(row.file), 0o600))
		require.NoError(t, os.Chmod(path, row.mode))
		_, err := New(t.Context(), Options{Store: NewFileStore(path)})
		if row.err == "" {
			require.NoError(t, err, "row %d", i)
		} else {
			require.ErrorContains(t, err, row.err, "row %d", i)
		}
	}
	_, err = New(t.Context(), Options{Store: NewFileStore(t.TempDir())})
	require.ErrorContains(t, err, "want a file")
	k, err := New(t.Context(), Options{Store: NewFileStore(filepath.Join(t.TempDir(), "no such folder", "keys.json"))})
	require.NoError(t, err, "no file is no keys")
	require.ErrorIs(t, k.PutTenant(t.Context(), Tenant{ID: "a"}), os.ErrNotExist)
	_, ok := k.Tenant("a")
	require.False(t, ok, "what was not saved is not in force")
}

// A change makes a new file of mode 0600, whatever lies in its place.
func TestFileStoreOnALeftover(t *testing.T) {
	for name, leave := range map[string]func(beside, victim string) error{
		"for others to read": func(beside, _ string) error { return os.WriteFile(beside, []byte("half"), 0o644) },
		"a link":             func(beside, victim string) error { return os.Symlink(victim, beside) },
		"a second name":      func(beside, victim string) error { return os.Link(victim, beside) },
		"not to be written":  func(beside, _ string) error { return os.WriteFile(beside, []byte("half"), 0o400) },
	} {
		dir := t.TempDir()
		path, victim := filepath.Join(dir, "keys.json"), filepath.Join(dir, "victim")
		require.NoError(t, os.WriteFile(victim, []byte("mine"), 0o644))
		require.NoError(t, leave(path+".new", victim), name)
		newKeys(t, Options{Store: NewFileStore(path)})
		info, err := os.Lstat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), name)
		data, err := os.ReadFile(victim)
		require.NoError(t, err)
		require.Equal(t, "mine", string(data), name)
		_, err = os.Lstat(path + ".new")
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, os.Mkdir(path+".new", 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(path+".new", "a"), nil, 0o600))
	k, err := New(t.Context(), Options{Store: NewFileStore(path)})
	require.NoError(t, err)
	require.Error(t, k.PutTenant(t.Context(), Tenant{ID: "a"}), "what is in the way and not ours stays")
}

// What could not be loaded again is not written.
func TestFileStoreIsBounded(t *testing.T) {
	store := NewFileStore(filepath.Join(t.TempDir(), "keys.json"))
	store.most = 1000
	k := newKeys(t, Options{Store: store})
	var err error
	for err == nil {
		_, _, err = k.Mint(t.Context(), NewKey{Tenant: "acme"}, start)
	}
	require.ErrorContains(t, err, "want at most 1000")
	again, err := New(t.Context(), Options{Store: store})
	require.NoError(t, err)
	require.NotEmpty(t, k.Keys("acme"))
	require.Equal(t, k.Keys("acme"), again.Keys("acme"))
	store.most = 100
	_, err = New(t.Context(), Options{Store: store})
	require.ErrorContains(t, err, "more than 100 bytes")
}

// Processes that change one file at the same time, and lose nothing.
func TestProcessesShareAFile(t *testing.T) {
	if path := os.Getenv("ACCESS_TEST_SHARER"); path != "" {
		k, err := New(t.Context(), Options{Store: NewFileStore(path)})
		require.NoError(t, err)
		for range 10 {
			for { // ten conflicts in a row are an error, and here no wonder
				_, _, err = k.Mint(t.Context(), NewKey{Tenant: "acme"}, start)
				if !errors.Is(err, ErrConflict) {
					break
				}
			}
			require.NoError(t, err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	k := newKeys(t, Options{Store: NewFileStore(path)})
	var children []*exec.Cmd
	for range 4 {
		child := exec.Command(os.Args[0], "-test.run=^TestProcessesShareAFile$")
		child.Env = append(os.Environ(), "ACCESS_TEST_SHARER="+path)
		require.NoError(t, child.Start())
		children = append(children, child)
	}
	for _, child := range children {
		require.NoError(t, child.Wait())
	}
	require.NoError(t, k.Reload(t.Context()))
	require.Len(t, k.Keys("acme"), 40)
}

// Two writers of one store: neither undoes what the other did.
func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	one := newKeys(t, Options{Store: NewFileStore(path)})
	two, err := New(t.Context(), Options{Store: NewFileStore(path)})
	require.NoError(t, err)
	_, first := mint(t, one, NewKey{})
	_, second := mint(t, two, NewKey{})
	requireAuth(t, two, first, start, nil)
	requireAuth(t, one, second, start, ErrUnknown)
	require.NoError(t, one.Reload(t.Context()))
	requireAuth(t, one, second, start, nil)
}

// fickleStore is a store that can fail, or be forever ahead.
type fickleStore struct {
	memoryStore
	err error
}

func (f *fickleStore) Save(ctx context.Context, s State) error {
	if f.err != nil {
		return f.err
	}
	return f.memoryStore.Save(ctx, s)
}

func (f *fickleStore) Load(ctx context.Context) (State, error) {
	if f.err != nil && !errors.Is(f.err, ErrConflict) {
		return State{}, f.err
	}
	return f.memoryStore.Load(ctx)
}

func TestStoreFails(t *testing.T) {
	store := new(fickleStore)
	k := newKeys(t, Options{Store: store})
	key, token := mint(t, k, NewKey{})
	_, unharmed := mint(t, k, NewKey{})
	other, err := New(t.Context(), Options{Store: store})
	require.NoError(t, err)

	store.err = errors.New("disk full")
	_, err = k.Rotate(t.Context(), key.ID, 0, start)
	require.ErrorIs(t, err, store.err)
	requireAuth(t, k, token, start, nil)
	require.ErrorIs(t, k.Revoke(t.Context(), key.ID, start), store.err)
	requireAuth(t, k, token, start, ErrRevoked) // here, at once, all the same
	require.ErrorIs(t, k.Reload(t.Context()), store.err)
	_, err = New(t.Context(), Options{Store: store})
	require.ErrorIs(t, err, store.err)
	store.err = ErrConflict
	require.ErrorIs(t, k.PutTenant(t.Context(), Tenant{ID: "x"}), ErrConflict)
	requireAuth(t, k, token, start, ErrRevoked) // a reload does not bring it back

	store.err = nil
	require.NoError(t, k.PutTenant(t.Context(), Tenant{ID: "x"}))
	require.NoError(t, other.Reload(t.Context()))
	requireAuth(t, other, token, start, ErrRevoked) // told with the next change
	requireAuth(t, other, unharmed, start, nil)
}

// stuckStore is a store that takes its time.
type stuckStore struct {
	memoryStore
	entered, leave chan struct{}
}

func (s *stuckStore) Save(ctx context.Context, state State) error {
	if s.entered != nil {
		s.entered <- struct{}{}
		<-s.leave
	}
	return s.memoryStore.Save(ctx, state)
}

// While a change hangs in the store, a revocation is in force all the same, and
// the change does not undo it.
func TestRevokeWaitsForNoStore(t *testing.T) {
	store := new(stuckStore)
	k := newKeys(t, Options{Store: store})
	key, token := mint(t, k, NewKey{})
	store.entered, store.leave = make(chan struct{}), make(chan struct{})
	errs := make(chan error, 2)
	go func() { errs <- k.PutTenant(context.Background(), Tenant{ID: "other"}) }()
	<-store.entered
	go func() { errs <- k.Revoke(context.Background(), key.ID, start) }()
	require.Eventually(t, func() bool {
		_, err := k.Authenticate(token, start)
		return errors.Is(err, ErrRevoked)
	}, time.Minute, time.Millisecond)
	store.leave <- struct{}{}
	<-store.entered
	requireAuth(t, k, token, start, ErrRevoked) // what was saved did not have it
	store.leave <- struct{}{}
	require.NoError(t, <-errs)
	require.NoError(t, <-errs)
	store.entered = nil
	require.NoError(t, k.Reload(t.Context()))
	requireAuth(t, k, token, start, ErrRevoked)
	require.Empty(t, k.unsaved)
}

// A child process changes keys as fast as it can and says so, and is killed at a
// random point. What it said is in the file.
func TestFileStoreSurvivesKill(t *testing.T) {
	if path := os.Getenv("ACCESS_TEST_CHILD"); path != "" {
		churn(path)
		return
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	random := rand.New(rand.NewPCG(20, 26))
	var done []string // what all children have said
	for round := range 20 {
		child := exec.Command(os.Args[0], "-test.run=^TestFileStoreSurvivesKill$")
		child.Env = append(os.Environ(), "ACCESS_TEST_CHILD="+path)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(out)
		kill := 1 + random.IntN(20)
		delay := time.Duration(random.Int64N(int64(2 * time.Millisecond)))
		for lines.Scan() {
			done = append(done, lines.Text())
			if kill--; kill == 0 {
				time.AfterFunc(delay, func() { child.Process.Kill() })
			}
		}
		child.Process.Kill()
		require.Error(t, child.Wait(), "killed")
		checkChurn(t, path, done, round)
	}
	require.Greater(t, len(done), 20)
}

// churn mints, rotates and revokes one key after the other, and writes a line
// when each is done.
func churn(path string) {
	ctx := context.Background()
	k, err := New(ctx, Options{Store: NewFileStore(path)})
	if err == nil {
		err = k.PutTenant(ctx, Tenant{ID: "acme"})
	}
	for err == nil {
		var key Key
		var first, second Secret
		if key, first, err = k.Mint(ctx, NewKey{Tenant: "acme"}, start); err != nil {
			break
		}
		fmt.Fprintln(os.Stdout, "mint", key.ID, first.Reveal())
		if second, err = k.Rotate(ctx, key.ID, time.Hour, start); err != nil {
			break
		}
		fmt.Fprintln(os.Stdout, "rotate", key.ID, second.Reveal())
		if err = k.Revoke(ctx, key.ID, start); err == nil {
			fmt.Fprintln(os.Stdout, "revoke", key.ID, first.Reveal())
		}
	}
	fmt.Fprintln(os.Stdout, "error", err, ".")
}

func checkChurn(t *testing.T, path string, done []string, round int) {
	t.Helper()
	k, err := New(t.Context(), Options{Store: NewFileStore(path)})
	require.NoError(t, err, "round %d", round)
	revoked := map[string]bool{}
	for _, line := range done {
		if fields := strings.Fields(line); fields[0] == "revoke" {
			revoked[fields[1]] = true
		}
	}
	for i, line := range done {
		fields := strings.Fields(line)
		require.Len(t, fields, 3, "%s", line)
		require.NotEqual(t, "error", fields[0], line)
		_, err := k.Authenticate(fields[2], start)
		next := ""
		if i+1 < len(done) {
			next = strings.Fields(done[i+1])[1]
		}
		switch {
		case revoked[fields[1]]:
			require.ErrorIs(t, err, ErrRevoked, "round %d: %s", round, line)
		case fields[0] == "rotate" && next != fields[1]: // killed before it could say "revoke"
			require.True(t, err == nil || errors.Is(err, ErrRevoked), "round %d: %v", round, err)
		case fields[0] == "mint" && next == fields[1]: // its rotation may have been the last word
			require.True(t, err == nil || errors.Is(err, ErrRevoked), "round %d: %v", round, err)
		default:
			require.NoError(t, err, "round %d: %s", round, line)
		}
	}
}

func FuzzState(f *testing.F) {
	good, err := State{Revision: 1, Tenants: []Tenant{{ID: "a"}}, Keys: []Key{
		{ID: strings.Repeat("a", idLen), Tenant: "a", Secrets: []SecretRecord{{}}, Grant: Grant{Models: []string{"*"}}},
	}}.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		var s State
		if s.Unmarshal(data) != nil {
			require.Zero(t, s)
			return
		}
		text, err := s.Marshal()
		require.NoError(t, err)
		var again State
		require.NoError(t, again.Unmarshal(text), "%s", text)
		twice, err := again.Marshal()
		require.NoError(t, err)
		require.Equal(t, string(text), string(twice))
	})
}
