// The completion scripts. Each asks the kerf of the project in which the shell is: `kerf complete -- <words>`.

/** Finds the program of the nearest project. It runs in bash and in zsh. */
const find = `_kerf_program() {
  local folder=$PWD program
  while [ -n "$folder" ]; do
    for program in "$folder/node_modules/.bin/kerf" "$folder/scripts/kerf.mjs"; do
      if [ -x "$program" ]; then printf '%s' "$program"; return; fi
    done
    folder=\${folder%/*}
  done
  return 1
}`;

const bash = `# Completion of "kerf" and "npx kerf" for bash. In ~/.bashrc:  source ~/.kerf-completion.bash
${find}
_kerf() {
  local program words=("\${COMP_WORDS[@]:1:COMP_CWORD}") line
  if [ "$1" = npx ]; then
    if [ "$COMP_CWORD" -lt 2 ] || [ "\${COMP_WORDS[1]}" != kerf ]; then return; fi
    words=("\${words[@]:1}")
  fi
  program=$(_kerf_program) || return
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("\${line%%$'\\t'*}"); done < <("$program" complete -- "\${words[@]}" 2>/dev/null)
}
complete -o default -F _kerf kerf
complete -p npx >/dev/null 2>&1 || complete -o default -F _kerf npx
`;

const zsh = `#compdef kerf npx
# Completion of "kerf" and "npx kerf" for zsh. In ~/.zshrc, after compinit:  source ~/.kerf-completion.zsh
${find}
_kerf() {
  local program from=2 line
  local -a candidates
  if [[ $words[1] == npx ]]; then
    if [[ $words[2] != kerf ]] || (( CURRENT < 3 )); then _default; return; fi
    from=3
  fi
  program=$(_kerf_program) || return 1
  for line in "\${(@f)$($program complete -- "\${(@)words[from,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( $#candidates )); then _describe kerf candidates; else _default; fi
}
compdef _kerf kerf npx
`;

const fish = `# Completion of "kerf" and "npx kerf" for fish. It belongs in ~/.config/fish/conf.d/kerf.fish
function __kerf_program
    set -l folder $PWD
    while test -n "$folder"
        for program in $folder/node_modules/.bin/kerf $folder/scripts/kerf.mjs
            if test -x $program
                echo $program
                return
            end
        end
        set folder (string replace -r '/[^/]*$' '' -- $folder)
    end
    return 1
end
function __kerf_complete
    set -l words (commandline -opc) (commandline -ct)
    set -e words[1]
    if test "$words[1]" = kerf
        set -e words[1]
    end
    set -l program (__kerf_program); or return
    set -l candidates ($program complete -- $words 2>/dev/null)
    if test (count $candidates) -gt 0
        printf '%s\\n' $candidates
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c kerf -f -a '(__kerf_complete)'
complete -c npx -n 'test (count (commandline -opc)) -gt 1; and test (commandline -opc)[2] = kerf' -f -a '(__kerf_complete)'
`;

/** The scripts by shell. */
export const shells = { bash, zsh, fish };
