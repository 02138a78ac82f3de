package cost

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// defaultAccounts bounds a BudgetMemory that names no bound: about 30 MB.
const defaultAccounts = 100_000

// BudgetMemory is a [BudgetState] in memory, for one process. It is safe for
// concurrent use; make one with [NewBudgetMemory].
type BudgetMemory struct {
	max int

	mu     sync.Mutex
	months map[string]map[string]*Balance // by month, then tenant; guarded by mu
	count  int                            // accounts in all months, at most max; guarded by mu
}

// NewBudgetMemory returns empty state for at most maxAccounts accounts, each a
// tenant in a month; zero is 100,000. When they are all taken, those of earlier
// months that hold nothing are forgotten; if there is none, Hold returns
// [ErrFull]: what a tenant has spent this month is never forgotten.
func NewBudgetMemory(maxAccounts int) *BudgetMemory {
	if maxAccounts <= 0 {
		maxAccounts = defaultAccounts
	}
	return &BudgetMemory{max: maxAccounts, months: make(map[string]map[string]*Balance)}
}

// Hold implements [BudgetState].
func (m *BudgetMemory) Hold(_ context.Context, a Account, most, limit Amount) (Balance, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	account := m.months[a.Month][a.Tenant]
	var balance Balance
	if account != nil {
		balance = *account
	}
	if most < 0 {
		return balance, false, fmt.Errorf("got %v € to hold, want 0 or more", most)
	}
	if most == 0 {
		return balance, true, nil
	}
	if !fits(balance, most, limit) {
		return balance, false, nil
	}
	if account == nil {
		var err error
		if account, err = m.open(a); err != nil {
			return balance, false, err
		}
	}
	account.Held += most
	return *account, true, nil
}

// fits reports whether spent + held + most ≤ limit, without a sum that could
// overflow: all but limit are known not to be negative.
func fits(b Balance, most, limit Amount) bool {
	for _, part := range [...]Amount{b.Spent, b.Held, most} {
		if limit < part {
			return false
		}
		limit -= part
	}
	return true
}

// open makes room for an account and adds it, with nothing in it.
func (m *BudgetMemory) open(a Account) (*Balance, error) {
	if m.count >= m.max {
		m.forget(a.Month)
	}
	if m.count >= m.max {
		return nil, fmt.Errorf("%w: budgets of %d accounts", ErrFull, m.count)
	}
	month := m.months[a.Month]
	if month == nil {
		month = make(map[string]*Balance)
		m.months[a.Month] = month
	}
	balance := new(Balance)
	month[strings.Clone(a.Tenant)] = balance
	m.count++
	return balance, nil
}

// forget drops the accounts of earlier months in which nothing is held.
func (m *BudgetMemory) forget(before string) {
	for name, month := range m.months {
		if name >= before {
			continue
		}
		for tenant, balance := range month {
			if balance.Held == 0 {
				delete(month, tenant)
				m.count--
			}
		}
		if len(month) == 0 {
			delete(m.months, name)
		}
	}
}

// Settle implements [BudgetState]. What is not held is an error.
func (m *BudgetMemory) Settle(_ context.Context, a Account, held, spent Amount, _ string) error {
	if held == 0 && spent == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	account := m.months[a.Month][a.Tenant]
	if account == nil && held == 0 { // a hold of zero leaves no trace
		var err error
		if account, err = m.open(a); err != nil {
			return err
		}
	}
	if account == nil || held < 0 || spent < 0 || account.Held < held {
		return fmt.Errorf("got %v € to settle from a hold of %v € that is not there", spent, held)
	}
	total, err := account.Spent.Add(spent)
	if err != nil {
		return err
	}
	account.Spent = total
	account.Held -= held
	return nil
}

// snapshotLine is an account as Snapshot writes it.
type snapshotLine struct {
	Account
	Balance
}

type snapshotFile struct {
	Accounts []snapshotLine `json:"accounts"`
}

// Snapshot writes all balances as JSON, sorted by month and tenant.
func (m *BudgetMemory) Snapshot(w io.Writer) error {
	m.mu.Lock()
	file := snapshotFile{Accounts: make([]snapshotLine, 0, m.count)}
	for name, month := range m.months {
		for tenant, balance := range month {
			file.Accounts = append(file.Accounts, snapshotLine{Account{tenant, name}, *balance})
		}
	}
	m.mu.Unlock()
	slices.SortFunc(file.Accounts, func(a, b snapshotLine) int {
		return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.Tenant, b.Tenant))
	})
	if err := json.NewEncoder(w).Encode(file); err != nil {
		return fmt.Errorf("cost: budget snapshot: %w", err)
	}
	return nil
}

// Restore replaces all balances by those of a snapshot. What the snapshot had on
// hold belonged to calls whose end nobody saw: it counts as spent, so that a
// crash never lets a tenant spend twice. Restore refuses to run while anything
// is held, and changes nothing on any error.
func (m *BudgetMemory) Restore(r io.Reader) error {
	var file snapshotFile
	// A line is under 400 bytes with the longest tenant, its bytes escaped sixfold.
	if err := decodeStrict(r, 1<<16+int64(min(m.max, 1<<20))*(6*maxTenant+400), &file); err != nil {
		return fmt.Errorf("cost: budget snapshot: %w", err)
	}
	restored := NewBudgetMemory(m.max)
	for i, line := range file.Accounts {
		if err := restored.restore(line); err != nil {
			return fmt.Errorf("cost: budget snapshot: account %d: %w", i+1, err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, month := range m.months {
		for _, balance := range month {
			if balance.Held != 0 {
				return errors.New("cost: budget snapshot: got calls under way, want none while restoring")
			}
		}
	}
	m.months, m.count = restored.months, restored.count
	return nil
}

func (m *BudgetMemory) restore(line snapshotLine) error {
	if _, err := time.Parse("2006-01", line.Month); err != nil {
		return fmt.Errorf("got the month %s, want one like 2026-05", quote(line.Month))
	}
	if len(line.Tenant) > maxTenant {
		return fmt.Errorf("got a tenant of %d bytes, want at most %d", len(line.Tenant), maxTenant)
	}
	if line.Spent < 0 || line.Held < 0 {
		return fmt.Errorf("got a negative balance")
	}
	if m.months[line.Month][line.Tenant] != nil {
		return fmt.Errorf("got the same tenant and month twice")
	}
	spent, err := line.Spent.Add(line.Held)
	if err != nil {
		return err
	}
	if m.count >= m.max { // never forget while restoring
		return fmt.Errorf("%w: budgets of %d accounts", ErrFull, m.count)
	}
	account, err := m.open(line.Account)
	if err != nil {
		return err
	}
	account.Spent = spent
	return nil
}
