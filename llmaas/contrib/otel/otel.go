// Package otel tells OpenTelemetry what happens to the calls of an llmaas client,
// by the semantic conventions for generative AI.
//
//	observer, err := otel.New(otel.Options{})
//	c, err := llmaas.New(llmaas.Config{Token: token, Observer: observer})
//
// Each call is a span of its own, made when it ends with the time at which it
// began, below the span of its context; retries, fallbacks and the first token
// are not spans. Two histograms go with it: gen_ai.client.operation.duration and
// gen_ai.client.token.usage.
//
// A usage that the service did not say is an estimate, and is not emitted. No
// prompt, answer or token ever is.
package otel

import (
	"context"
	"errors"
	"fmt"
	"time"

	api "go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/llmaas/llmaas-go/llmaas"
)

const scope = "github.com/llmaas/llmaas-go/llmaas/contrib/otel"

// Options say where to. Nil providers mean the global ones.
type Options struct {
	Tracers trace.TracerProvider
	Meters  metric.MeterProvider
}

// Observer is an [llmaas.Observer]. It is safe for concurrent use.
type Observer struct {
	tracer   trace.Tracer
	duration metric.Float64Histogram
	usage    metric.Int64Histogram
}

// New makes an observer.
func New(o Options) (*Observer, error) {
	if o.Tracers == nil {
		o.Tracers = api.GetTracerProvider()
	}
	if o.Meters == nil {
		o.Meters = api.GetMeterProvider()
	}
	meter := o.Meters.Meter(scope)
	duration, err1 := meter.Float64Histogram("gen_ai.client.operation.duration", metric.WithUnit("s"), metric.WithDescription("GenAI operation duration"))
	usage, err2 := meter.Int64Histogram("gen_ai.client.token.usage", metric.WithUnit("{token}"), metric.WithDescription("Number of input and output tokens used"))
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("otel: %w", err)
	}
	return &Observer{o.Tracers.Tracer(scope), duration, usage}, nil
}

// operations are the names that the conventions have for those of the client.
var operations = map[string]string{"chat": "chat", "stream": "chat", "complete": "text_completion", "embeddings": "embeddings"}

// Observe emits a call when it ends.
func (o *Observer) Observe(ctx context.Context, e llmaas.Event) {
	if e.Kind != llmaas.Ended {
		return
	}
	op := operations[e.Op]
	if op == "" {
		op = e.Op
	}
	common := []attribute.KeyValue{
		attribute.String("gen_ai.operation.name", op),
		attribute.String("gen_ai.provider.name", "cloud_temple"),
		attribute.String("gen_ai.request.model", e.Model),
	}
	if e.Err != nil {
		common = append(common, attribute.String("error.type", errorType(e.Err)))
	}
	known := e.Usage.Input+e.Usage.Output > 0 && !e.Usage.Estimated
	o.span(ctx, e, op, common, known)
	o.duration.Record(ctx, e.Since.Seconds(), metric.WithAttributes(common...))
	if known {
		for kind, n := range map[string]int64{"input": e.Usage.Input, "output": e.Usage.Output} {
			o.usage.Record(ctx, n, metric.WithAttributes(append(common[:len(common):len(common)], attribute.String("gen_ai.token.type", kind))...))
		}
	}
}

func (o *Observer) span(ctx context.Context, e llmaas.Event, op string, common []attribute.KeyValue, known bool) {
	end := time.Now()
	_, span := o.tracer.Start(ctx, op+" "+e.Model, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(end.Add(-e.Since)), trace.WithAttributes(common...))
	if known {
		span.SetAttributes(attribute.Int64("gen_ai.usage.input_tokens", e.Usage.Input), attribute.Int64("gen_ai.usage.output_tokens", e.Usage.Output))
	}
	if e.RequestID != "" {
		span.SetAttributes(attribute.String("gen_ai.response.id", e.RequestID))
	}
	if e.Backend.Machine != "" {
		span.SetAttributes(attribute.String("llmaas.backend.machine", e.Backend.Machine))
	}
	span.SetAttributes(attribute.Int("llmaas.attempts", e.Attempts))
	if e.Err != nil {
		span.SetStatus(codes.Error, e.Err.Error())
	}
	span.End(trace.WithTimestamp(end))
}

// errorType is one of a few words, as a metric's attribute must be.
func errorType(err error) string {
	for _, k := range []struct {
		kind error
		word string
	}{
		{llmaas.ErrRefused, "refused"}, {llmaas.ErrWithheld, "withheld"}, {llmaas.ErrBudget, "budget"}, {llmaas.ErrModelGone, "model_gone"},
		{llmaas.ErrInvalidRequest, "invalid_request"}, {llmaas.ErrUnauthorized, "unauthorized"}, {llmaas.ErrForbidden, "forbidden"},
		{llmaas.ErrModelNotFound, "model_not_found"}, {llmaas.ErrRateLimited, "rate_limited"}, {llmaas.ErrOverloaded, "overloaded"},
		{llmaas.ErrConnection, "connection"}, {llmaas.ErrTimeout, "timeout"}, {llmaas.ErrTruncated, "truncated"}, {llmaas.ErrProtocol, "protocol"},
		{llmaas.ErrCanceled, "canceled"},
	} {
		if errors.Is(err, k.kind) {
			return k.word
		}
	}
	return "_OTHER"
}
