package confine

import "golang.org/x/sys/unix"

// prog is a classic BPF program under construction; every test either returns or falls through, so no
// jump is longer than one block.
type prog []unix.SockFilter

func (p *prog) add(code uint16, jt, jf uint8, k uint32) {
	*p = append(*p, unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k})
}

func (p *prog) load(off uint32)   { p.add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, 0, 0, off) }
func (p *prog) mask(bits uint32)  { p.add(unix.BPF_ALU|unix.BPF_AND|unix.BPF_K, 0, 0, bits) }
func (p *prog) ret(action uint32) { p.add(unix.BPF_RET|unix.BPF_K, 0, 0, action) }

// on answers with action when the loaded value is k.
func (p *prog) on(k, action uint32) {
	p.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 0, 1, k)
	p.ret(action)
}

func (p *prog) unless(k, action uint32) {
	p.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 1, 0, k)
	p.ret(action)
}

func (p *prog) ifAtLeast(k, action uint32) {
	p.add(unix.BPF_JMP|unix.BPF_JGE|unix.BPF_K, 0, 1, k)
	p.ret(action)
}

func (p *prog) ifBits(bits, action uint32) {
	p.add(unix.BPF_JMP|unix.BPF_JSET|unix.BPF_K, 0, 1, bits)
	p.ret(action)
}

// block runs f for one system call and allows what f lets through.
func (p *prog) block(nr uint32, f func(*prog)) {
	var q prog
	f(&q)
	q.ret(retAllow)
	p.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 0, uint8(len(q)), nr)
	*p = append(*p, q...)
}
