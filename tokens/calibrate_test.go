package tokens

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCalibratorLearns(t *testing.T) {
	for _, server := range []struct {
		name          string
		scale, offset float64
		outliers      float64 // share of replies with a nonsensical count
	}{
		{"the same", 1, 0, 0},
		{"another template", 1, 140, 0},
		{"another tokenizer", 1.31, 12, 0},
		{"shorter", 0.7, 60, 0},
		{"a fifth of the replies is wrong", 1.15, 90, 0.2},
	} {
		r := rand.New(rand.NewPCG(7, 8))
		var c Calibrator
		reply := func() (Estimate, int) {
			n := 30 + int(math.Exp(r.Float64()*7))
			e := Estimate{Low: n * 9 / 10, Likely: n, High: n * 11 / 10}
			return e, int(math.Round((server.scale*float64(n) + server.offset) * (1 + 0.02*r.NormFloat64())))
		}
		for range 50 {
			e, truth := reply()
			if r.Float64() < server.outliers {
				truth *= 1 + r.IntN(20)
			}
			c.Observe("m", e, truth)
		}
		sum := 0.0
		for range 500 {
			e, truth := reply()
			got := c.Adjust("m", e)
			require.LessOrEqual(t, got.Low, got.Likely)
			require.LessOrEqual(t, got.Likely, got.High)
			exact := server.scale*float64(e.Likely) + server.offset
			sum += math.Abs(float64(got.Likely)-exact) / exact
			_ = truth
		}
		require.Less(t, sum/500, 0.02, server.name)
	}
}

func TestCalibratorStartsGently(t *testing.T) {
	var c Calibrator
	e := Estimate{90, 100, 110}
	require.Equal(t, e, c.Adjust("m", e), "nothing was learned")
	c.Observe("m", e, 100_000) // one reply proves little
	require.Less(t, c.Adjust("m", e).Likely, 25_000)
	c.Observe("m", Estimate{}, 7)
	c.Observe("m", e, -1)
	require.Len(t, c.models["m"].Pairs, 1, "nonsense is not kept")
}

func TestCalibratorIsBounded(t *testing.T) {
	var c Calibrator
	for i := range 1000 {
		c.Observe(fmt.Sprint("model ", i), Estimate{1, 100, 200}, 150)
	}
	require.Len(t, c.models, calibrateModels)
	require.NotContains(t, c.models, "model 0")
	for i := range 1000 {
		c.Observe("model 999", Estimate{1, 100 + i, 200}, 150)
	}
	require.Len(t, c.models["model 999"].Pairs, calibratePairs)
}

func TestCalibratorPersists(t *testing.T) {
	var a, b, empty Calibrator
	for i := range 60 {
		a.Observe("m", Estimate{1, 100 + 10*i, 2000}, 150+12*i)
	}
	file, err := json.Marshal(&a)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(file, &b))
	e := Estimate{900, 1000, 1100}
	require.Equal(t, a.Adjust("m", e), b.Adjust("m", e))

	file, err = json.Marshal(&empty)
	require.NoError(t, err)
	require.JSONEq(t, `{}`, string(file))
	require.NoError(t, json.Unmarshal(file, &b))
	require.Equal(t, e, b.Adjust("m", e))

	for _, bad := range []string{`[]`, `{"m":null}`, `{"m":{"pairs":[]}}`, `{"m":{"pairs":[[0,5]]}}`, `{"m":{"pairs":[[1e300,5]]}}`} {
		require.Error(t, json.Unmarshal([]byte(bad), &b), bad)
	}
}

func TestCalibratorConcurrent(t *testing.T) {
	var c Calibrator
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				c.Observe(fmt.Sprint(g%3), Estimate{1, 50 + i, 500}, 60+i)
				c.Adjust("1", Estimate{1, 2, 3})
			}
		})
	}
	wg.Wait()
	require.Len(t, c.models, 3)
}
