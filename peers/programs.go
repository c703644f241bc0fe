package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kesu-go/kesu/internal/sandbox"
)

// program is one program of a page in a merchant's folder.
type program struct {
	heading string // the client's name
	file    string // what the program's file is called
	text    string
}

// programsOf takes the programs out of a page: each is the first block of code below its heading.
func programsOf(page string) []program {
	names := map[string]string{"bash": "program.sh", "go": "main.go", "java": "Program.java", "python": "program.py",
		"js": "program.js", "php": "program.php"}
	var all []program
	for _, section := range strings.Split(page, "\n## ")[1:] {
		heading, rest, _ := strings.Cut(section, "\n")
		_, rest, _ = strings.Cut(rest, "\n```")
		language, rest, _ := strings.Cut(rest, "\n")
		text, _, _ := strings.Cut(rest, "\n```")
		all = append(all, program{heading, names[language], text + "\n"})
	}
	return all
}

// programs runs those of the three merchants' pages whose keys are right.
func (t *table) programs(ctx context.Context, d *sandbox.Demo, dir, tools string) error {
	for _, m := range []*sandbox.Merchant{d.Acme, d.XML, d.Both} {
		page, err := os.ReadFile(filepath.Join(dir, m.Name, "README.md"))
		if err != nil {
			return err
		}
		for _, p := range programsOf(string(page)) {
			t.program(p.heading, m.Name, p.judge(ctx, d, m, filepath.Join(dir, m.Name), tools))
		}
	}
	return nil
}

// judge runs the program and looks at what became of its complaint.
func (p program) judge(ctx context.Context, d *sandbox.Demo, m *sandbox.Merchant, folder, tools string) done {
	if p.heading == "wechatpay-php" {
		return done{Cannot: "its registry cannot be reached where this is run"}
	}
	scratch, err := os.MkdirTemp("", "kesu-program-")
	if err != nil {
		return done{Failed: err.Error()}
	}
	defer os.RemoveAll(scratch)
	if err := p.run(ctx, scratch, folder, tools); err != nil {
		return done{Failed: err.Error()}
	}
	if language, ok := strings.CutPrefix(p.heading, "翼码 in "); ok {
		c, _ := d.State.Complaint(m.Name, "imageco-"+strings.ToLower(language)+"-1")
		if len(c.Replies) != 1 || c.Replies[0].Content != replyText {
			return done{Failed: fmt.Sprintf("the consumer sees %d replies", len(c.Replies))}
		}
		return done{}
	}
	if c, _ := d.State.Complaint(m.Name, p.heading+"-1"); c.State != sandbox.Processed {
		return done{Failed: "the complaint is " + string(c.State)}
	}
	return done{}
}

func (p program) run(ctx context.Context, scratch, folder, tools string) error {
	t, file := toolbox{tools}, filepath.Join(scratch, p.file)
	if err := os.WriteFile(file, []byte(p.text), 0o600); err != nil {
		return err
	}
	command := map[string][]string{".sh": {"bash", file}, ".java": t.java(file), ".py": t.python(file), ".js": t.node(file),
		".php": {"php", file}}[filepath.Ext(file)]
	if command == nil { // Go: built in this module, for its dependencies
		command = []string{filepath.Join(scratch, "program")}
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", command[0], file).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	_, err := t.command(ctx, folder, command)
	return err
}
