package main

type vec [numFamilies]float32

// add is written out: this line is where the program spends its time.
func (v *vec) add(o *vec, n float32) {
	v[0] += o[0] * n
	v[1] += o[1] * n
	v[2] += o[2] * n
	v[3] += o[3] * n
	v[4] += o[4] * n
	v[5] += o[5] * n
	v[6] += o[6] * n
	v[7] += o[7] * n
}

// problem is a weighted ridge regression, all families at once: rows of
// features, one weight a row and family, one penalty a parameter.
type problem struct {
	rows    [][]feature
	y       []vec
	w       []vec
	penalty []float32
}

// solve runs conjugate gradients, scaled by the diagonal, from start.
func (p *problem) solve(theta []vec, iterations int) {
	d := len(theta)
	scale := make([]vec, d)
	for j := range scale {
		for k := range scale[j] {
			scale[j][k] = p.penalty[j]
		}
	}
	for i, row := range p.rows {
		w := &p.w[i]
		for _, f := range row {
			s := &scale[f.param]
			for k := range s {
				s[k] += w[k] * f.n * f.n
			}
		}
	}
	r, z, q, dir := make([]vec, d), make([]vec, d), make([]vec, d), make([]vec, d)
	p.normal(theta, q)
	rhs := make([]vec, d)
	for i, row := range p.rows {
		y, w := &p.y[i], &p.w[i]
		for _, f := range row {
			b := &rhs[f.param]
			for k := range b {
				b[k] += w[k] * y[k] * f.n
			}
		}
	}
	var rz [numFamilies]float64
	for j := range r {
		for k := range r[j] {
			r[j][k] = rhs[j][k] - q[j][k]
			z[j][k] = r[j][k] / scale[j][k]
			rz[k] += float64(r[j][k]) * float64(z[j][k])
		}
	}
	copy(dir, z)
	for range iterations {
		p.normal(dir, q)
		var dq, next [numFamilies]float64
		for j := range dir {
			for k := range dir[j] {
				dq[k] += float64(dir[j][k]) * float64(q[j][k])
			}
		}
		var alpha, beta vec
		for k := range alpha {
			if dq[k] > 0 {
				alpha[k] = float32(rz[k] / dq[k])
			}
		}
		for j := range r {
			for k := range alpha {
				theta[j][k] += alpha[k] * dir[j][k]
				r[j][k] -= alpha[k] * q[j][k]
				z[j][k] = r[j][k] / scale[j][k]
				next[k] += float64(r[j][k]) * float64(z[j][k])
			}
		}
		for k := range beta {
			if rz[k] > 0 {
				beta[k] = float32(next[k] / rz[k])
			}
		}
		rz = next
		for j := range dir {
			for k := range beta {
				dir[j][k] = z[j][k] + beta[k]*dir[j][k]
			}
		}
	}
}

// normal sets out = (XᵀWX + penalty)·v.
func (p *problem) normal(v, out []vec) {
	for j := range out {
		for k := range out[j] {
			out[j][k] = p.penalty[j] * v[j][k]
		}
	}
	for i, row := range p.rows {
		dot := predict(row, v)
		for k := range dot {
			dot[k] *= p.w[i][k]
		}
		for _, f := range row {
			out[f.param].add(&dot, f.n)
		}
	}
}

func predict(row []feature, v []vec) (sum vec) {
	for _, f := range row {
		sum.add(&v[f.param], f.n)
	}
	return sum
}
