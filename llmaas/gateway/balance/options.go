package balance

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Backend is one machine, or one cluster behind an address.
type Backend struct {
	Name   string      // unique, for status, metrics and audit
	URL    string      // root of its API; the path of a request below /v1 is added to it
	Weight int         // its share of the load; 0 means 1
	Models []string    // what it serves; none means everything
	Header http.Header // set on each request to it, such as its own Authorization
}

// Options configures [New]. Backends is the one field that must be set.
type Options struct {
	Backends []Backend

	// Transport sends to a machine. Nil means a pool of connections of the
	// balancer's own, without a proxy, that waits 3 s for a connection.
	Transport http.RoundTripper

	// Attempts is how many machines one request may try. 0 means 3.
	Attempts int

	// Failures in a row eject a machine. 0 means 3.
	Failures int

	// EjectFor is how long the first ejection lasts; each further one doubles
	// it up to EjectMost. 0 means 10 s and 5 min.
	EjectFor, EjectMost time.Duration

	// EjectShare is the share of the machines of a model that may be out at
	// once, between 0 and 1. 0 means 0.5; at least one machine always may.
	EjectShare float64

	// SlowStart is how long a machine that comes back takes to its full share.
	// 0 means 30 s; negative means none.
	SlowStart time.Duration

	// LoadCap is how much more than its share of the load affinity may give a
	// machine, at least 1. 0 means 1.25.
	LoadCap float64

	// LoadFloor is how many requests at once affinity may give a machine in any
	// case. Machines batch: while few are under way, a prefix that is cached is
	// worth more than a machine that is idle. 0 means 4; one that takes one request
	// at a time wants 1.
	LoadFloor int

	// Seed makes the random choices repeatable. 0 means a seed of the day.
	Seed uint64

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// OnEject is told when a machine is ejected, and when it comes back. It is
	// called while the balancer is locked: it must return at once and not call
	// it. Nil means nobody.
	OnEject func(backend string, out bool)
}

func (o *Options) defaults() error {
	set := func(field string, value *time.Duration, def time.Duration) error {
		if *value < 0 {
			return fmt.Errorf("balance: Options.%s: got %v, want 0 or more", field, *value)
		}
		if *value == 0 {
			*value = def
		}
		return nil
	}
	switch {
	case len(o.Backends) == 0:
		return fmt.Errorf("balance: Options.Backends: got none, want one or more")
	case o.Attempts < 0 || o.Failures < 0 || o.LoadFloor < 0:
		return fmt.Errorf("balance: Options: got %d attempts, %d failures and a floor of %d, want 0 or more", o.Attempts, o.Failures, o.LoadFloor)
	case !(o.EjectShare >= 0 && o.EjectShare <= 1):
		return fmt.Errorf("balance: Options.EjectShare: got %v, want 0 to 1", o.EjectShare)
	case o.LoadCap != 0 && !(o.LoadCap >= 1 && o.LoadCap <= 1000):
		return fmt.Errorf("balance: Options.LoadCap: got %v, want 1 to 1000", o.LoadCap)
	}
	for _, d := range []struct {
		field string
		value *time.Duration
		def   time.Duration
	}{{"EjectFor", &o.EjectFor, 10 * time.Second}, {"EjectMost", &o.EjectMost, 5 * time.Minute}} {
		if err := set(d.field, d.value, d.def); err != nil {
			return err
		}
	}
	if o.SlowStart == 0 {
		o.SlowStart = 30 * time.Second
	}
	if o.Attempts == 0 {
		o.Attempts = 3
	}
	if o.Failures == 0 {
		o.Failures = 3
	}
	if o.EjectShare == 0 {
		o.EjectShare = 0.5
	}
	if o.LoadCap == 0 {
		o.LoadCap = 1.25
	}
	if o.LoadFloor == 0 {
		o.LoadFloor = 4
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	if o.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.Proxy, t.MaxIdleConns, t.MaxIdleConnsPerHost = nil, 0, 256
		t.DisableCompression = true // bytes pass through as they are
		t.ReadBufferSize = 16 << 10 // what came of a stream in one read, not in four
		// A machine without power does not even refuse: the next one is waiting.
		t.DialContext = (&net.Dialer{Timeout: 3 * time.Second}).DialContext
		o.Transport = t
	}
	return nil
}

// parse checks one backend.
func (b *Backend) parse() (*url.URL, error) {
	u, err := url.Parse(b.URL)
	switch {
	case b.Name == "" || len(b.Name) > 64:
		return nil, fmt.Errorf("balance: Backend.Name: got %d bytes, want 1 to 64", len(b.Name))
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("balance: backend %s: URL: want a plain http or https address such as http://10.0.0.1:8000/v1", b.Name)
	case b.Weight < 0 || b.Weight > 1000:
		return nil, fmt.Errorf("balance: backend %s: Weight: got %d, want 0 to 1000", b.Name, b.Weight)
	}
	return u, nil
}
