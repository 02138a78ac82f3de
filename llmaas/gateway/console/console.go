package console

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"time"
)

//go:embed page
var files embed.FS

// policy allows the page's own files and nothing else (Content Security Policy
// Level 3; Trusted Types keep strings out of the places that would run them).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Options configures [New]. Allow must be set; a source that is nil leaves its
// part of the page empty. The package comment says what sources return. They are
// called from many goroutines.
type Options struct {
	// Allow reports whether a request may see the data, by its Authorization header.
	Allow func(*http.Request) bool

	Usage    func() any
	Curve    func() any
	Alerts   func() any
	Backends func() any
	Models   func() any
	History  func(Query) any

	// Every is the time between two looks at the sources. 0 means 2 s.
	Every time.Duration

	// MaxStreams bounds the pages that are watched at once. 0 means 32.
	MaxStreams int

	// Done ends all streams when it is closed, so that a server can stop. Nil
	// means never.
	Done <-chan struct{}
}

// Query chooses requests of the history. Empty fields match anything.
type Query struct {
	Tenant string
	Model  string
	Status int // HTTP; 0 matches any
}

// Console serves the page and its data. It is safe for concurrent use.
type Console struct {
	o       Options
	mux     *http.ServeMux
	sources []source
	streams chan struct{} // one a stream under way
}

type source struct {
	name string
	get  func() any
}

// New makes a console whose page is at "/": mount it with http.StripPrefix, and
// with a slash at the end of its path. The error says which option is wrong.
func New(o Options) (*Console, error) {
	switch {
	case o.Allow == nil:
		return nil, errors.New("console: Options.Allow: got none, want a check of the operator's key")
	case o.Every < 0 || o.MaxStreams < 0:
		return nil, errors.New("console: Options: got a negative Every or MaxStreams, want 0 or more")
	}
	o.Every = cmp.Or(o.Every, 2*time.Second)
	page, err := fs.Sub(files, "page")
	if err != nil {
		return nil, err
	}
	c := &Console{o: o, mux: http.NewServeMux(), streams: make(chan struct{}, cmp.Or(o.MaxStreams, 32))}
	for _, s := range []source{{"alerts", o.Alerts}, {"usage", o.Usage}, {"curve", o.Curve}, {"backends", o.Backends}, {"models", o.Models}} {
		if s.get != nil {
			c.sources = append(c.sources, s)
		}
	}
	for path, name := range map[string]string{"/{$}": "index.html", "/app.js": "app.js", "/app.css": "app.css"} {
		c.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, page, name) })
	}
	c.mux.HandleFunc("GET /events", c.admin(c.events))
	c.mux.HandleFunc("GET /history", c.admin(c.history))
	return c, nil
}

// ServeHTTP serves the page to anyone, and data to those whom Options.Allow lets in.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	c.mux.ServeHTTP(w, r)
}

func (c *Console) admin(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !c.o.Allow(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "an admin key is needed", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// history answers a search.
func (c *Console) history(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	q := Query{Tenant: values.Get("tenant"), Model: values.Get("model")}
	if s := values.Get("status"); s != "" {
		var err error
		if q.Status, err = strconv.Atoi(s); err != nil || q.Status < 100 || q.Status > 599 {
			http.Error(w, "status: want a number from 100 to 599", http.StatusBadRequest)
			return
		}
	}
	found := any([]struct{}{})
	if c.o.History != nil {
		found = c.o.History(q)
	}
	data, err := json.Marshal(found)
	if err != nil {
		http.Error(w, "the history cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // the reader went away: nobody to tell
}
