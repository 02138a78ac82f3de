package cost

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// defaultRows bounds a ledger that names no bound: about 50 MB.
const defaultRows = 100_000

// LedgerOptions are the settings of a [Ledger]. The zero value works.
type LedgerOptions struct {
	// MaxRows bounds the rows, each a tenant, model and day. Zero is 100,000.
	MaxRows int

	// Location is where a day begins and ends. Nil is UTC.
	Location *time.Location
}

// Row is what a tenant used of a model on a day, and what it cost.
type Row struct {
	Day    string `json:"day"` // like "2026-05-17"
	Tenant string `json:"tenant"`
	Model  string `json:"model"`

	Calls        int64  `json:"calls"`
	Estimated    int64  `json:"estimated"` // calls of them whose usage was an estimate
	Input        int64  `json:"input"`
	Output       int64  `json:"output"` // without reasoning
	Reasoning    int64  `json:"reasoning_output"`
	Rerank       int64  `json:"rerank"`
	BatchInput   int64  `json:"batch_input"`
	BatchOutput  int64  `json:"batch_output"`
	AudioMinutes int64  `json:"audio_minutes"`
	Cost         Amount `json:"cost_eur"`
	Energy       Energy `json:"energy_kwh"` // of the calls whose energy is known
	EnergyCalls  int64  `json:"energy_calls"`
}

// Entry is one call to be booked.
type Entry struct {
	Tenant string
	Model  string
	Time   time.Time
	Bill   Bill

	Energy      Energy
	EnergyKnown bool
}

// Ledger adds up bills by tenant, model and day. It is safe for concurrent use;
// make one with [NewLedger].
type Ledger struct {
	max      int
	location *time.Location

	mu   sync.Mutex
	rows map[rowKey]*Row // guarded by mu; at most max
}

type rowKey struct{ day, tenant, model string }

// NewLedger returns an empty ledger.
func NewLedger(o LedgerOptions) *Ledger {
	l := &Ledger{max: o.MaxRows, location: o.Location, rows: make(map[rowKey]*Row)}
	if l.max <= 0 {
		l.max = defaultRows
	}
	if l.location == nil {
		l.location = time.UTC
	}
	return l
}

// Record books a call. On an error nothing is booked: [ErrFull] for a row too
// many, which [Ledger.Take] makes room for, or [ErrOverflow].
func (l *Ledger) Record(e Entry) error {
	if len(e.Tenant) > maxTenant || len(e.Model) > maxTenant {
		return fmt.Errorf("cost: ledger: got a tenant of %d bytes and a model of %d, want at most %d", len(e.Tenant), len(e.Model), maxTenant)
	}
	if l.location == nil {
		return errors.New("cost: ledger: got the zero Ledger, want one of NewLedger")
	}
	key := rowKey{e.Time.In(l.location).Format(time.DateOnly), e.Tenant, e.Model}
	l.mu.Lock()
	defer l.mu.Unlock()
	row := l.rows[key]
	if row == nil {
		if len(l.rows) >= l.max {
			return fmt.Errorf("%w: ledger of %d rows", ErrFull, len(l.rows))
		}
		row = &Row{Day: key.day, Tenant: strings.Clone(key.tenant), Model: strings.Clone(key.model)}
		key.tenant, key.model = row.Tenant, row.Model
	}
	sum := *row
	if err := sum.add(e); err != nil {
		return fmt.Errorf("cost: ledger: %w", err)
	}
	*row = sum
	l.rows[key] = row
	return nil
}

func (r *Row) add(e Entry) error {
	r.Calls++
	if e.Bill.Estimated {
		r.Estimated++
	}
	for kind, to := range [kindCount]*int64{
		&r.Input, &r.Output, &r.Reasoning, &r.Rerank, &r.BatchInput, &r.BatchOutput, &r.AudioMinutes,
	} {
		units := e.Bill.lines[kind].Units
		if *to > math.MaxInt64-units {
			return fmt.Errorf("%w: %v", ErrOverflow, Kind(kind))
		}
		*to += units
	}
	var err error
	if r.Cost, err = r.Cost.Add(e.Bill.Total); err != nil || !e.EnergyKnown {
		return err
	}
	energy, err := Amount(r.Energy).Add(Amount(e.Energy))
	r.Energy = Energy(energy)
	r.EnergyCalls++
	return err
}

// Rows returns a copy of all rows, by day, tenant and model.
func (l *Ledger) Rows() []Row {
	l.mu.Lock()
	rows := make([]Row, 0, len(l.rows))
	for _, row := range l.rows {
		rows = append(rows, *row)
	}
	l.mu.Unlock()
	sortRows(rows)
	return rows
}

// Take removes the rows of all days before the given one (like "2026-05-17"),
// and returns them by day, tenant and model, so that a host can store them
// elsewhere and the ledger stays small.
func (l *Ledger) Take(before string) []Row {
	l.mu.Lock()
	var rows []Row
	for key, row := range l.rows {
		if key.day < before {
			rows = append(rows, *row)
			delete(l.rows, key)
		}
	}
	l.mu.Unlock()
	sortRows(rows)
	return rows
}

func sortRows(rows []Row) {
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Model, b.Model))
	})
}

// WriteJSONL writes rows as JSON lines.
func WriteJSONL(w io.Writer, rows []Row) error {
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	for i := range rows {
		if err := encoder.Encode(&rows[i]); err != nil {
			return fmt.Errorf("cost: ledger export: %w", err)
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("cost: ledger export: %w", err)
	}
	return nil
}

var csvHeader = []string{
	"day", "tenant", "model", "calls", "estimated", "input", "output", "reasoning_output", "rerank",
	"batch_input", "batch_output", "audio_minutes", "cost_eur", "energy_kwh", "energy_calls",
}

// WriteCSV writes rows as CSV (RFC 4180, but for lines that end in LF: a writer
// of CRLF would drop CR from names) with a header line. Names of tenants and
// models that a spreadsheet would run as a formula begin with an apostrophe
// there (OWASP, CSV Injection).
func WriteCSV(w io.Writer, rows []Row) error {
	writer := csv.NewWriter(w)
	record := slices.Clone(csvHeader)
	err := writer.Write(record)
	for i := 0; i < len(rows) && err == nil; i++ {
		r := &rows[i]
		record = append(record[:0], r.Day, inertCell(r.Tenant), inertCell(r.Model))
		for _, n := range [...]int64{
			r.Calls, r.Estimated, r.Input, r.Output, r.Reasoning, r.Rerank, r.BatchInput, r.BatchOutput, r.AudioMinutes,
		} {
			record = append(record, strconv.FormatInt(n, 10))
		}
		record = append(record, r.Cost.String(), Amount(r.Energy).String(), strconv.FormatInt(r.EnergyCalls, 10))
		err = writer.Write(record)
	}
	writer.Flush()
	if err == nil {
		err = writer.Error()
	}
	if err != nil {
		return fmt.Errorf("cost: ledger export: %w", err)
	}
	return nil
}

// inertCell keeps a spreadsheet from taking a name for a formula. The full-width
// forms count in East Asian locales; leading blanks hide none of them.
func inertCell(s string) string {
	trimmed := strings.TrimLeft(s, " \u00a0\u3000\ufeff")
	if strings.HasPrefix(trimmed, "'") || strings.IndexAny(trimmed, "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}
