"""LaTeX's commands for single characters, names and delimiters, in Unicode.

Source: LaTeX2e and amsmath, https://ctan.org/pkg/comprehensive (what the commands mean); Unicode's names.
"""

from __future__ import annotations


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SYMBOLS = _pairs(
    "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu μ "
    "nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ "
    "omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω "
    "sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ bigcup ⋃ bigcap ⋂ bigoplus ⨁ bigotimes ⨂ "
    "infty ∞ partial ∂ nabla ∇ hbar ℏ ell ℓ Re ℜ Im ℑ aleph ℵ emptyset ∅ varnothing ∅ forall ∀ exists ∃ nexists ∄ neg ¬ "
    "lnot ¬ angle ∠ triangle △ square □ Box □ blacksquare ■ star ⋆ bullet • circ ∘ degree ° prime ′ dagger † "
    "ldots … dots … dotsc … dotsb … cdots ⋯ vdots ⋮ ddots ⋱ checkmark ✓ top ⊤ bot ⊥ imath ı jmath ȷ "
    "langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ lvert | rvert | vert | lVert ‖ rVert ‖ Vert ‖ "
    "lbrace { rbrace } lbrack [ rbrack ] backslash \\ euro € pounds £ copyright © S § P ¶"
)
"""What stands for itself."""

SPACED = _pairs(
    "times × div ÷ cdot · pm ± mp ∓ ast ∗ oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙ cup ∪ cap ∩ setminus ∖ wedge ∧ land ∧ "
    "vee ∨ lor ∨ le ≤ leq ≤ leqslant ≤ ge ≥ geq ≥ geqslant ≥ lt < gt > ll ≪ gg ≫ ne ≠ neq ≠ equiv ≡ approx ≈ sim ∼ "
    "simeq ≃ cong ≅ propto ∝ in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ subsetneq ⊊ supset ⊃ supseteq ⊇ mid ∣ nmid ∤ "
    "parallel ∥ perp ⊥ to → rightarrow → longrightarrow ⟶ leftarrow ← gets ← longleftarrow ⟵ leftrightarrow ↔ mapsto ↦ "
    "Rightarrow ⇒ Longrightarrow ⟹ implies ⟹ Leftarrow ⇐ impliedby ⟸ Leftrightarrow ⇔ iff ⟺ uparrow ↑ downarrow ↓ "
    "nearrow ↗ searrow ↘ therefore ∴ because ∵ models ⊨ vdash ⊢ doteq ≐ coloneqq ≔ bmod mod asymp ≍ prec ≺ succ ≻ "
    "rightleftharpoons ⇌"
)
"""Operators and relations, which LaTeX sets with room around them."""

FUNCTIONS = _names(
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log max "
    "min Pr sec sin sinh sup tan tanh argmax argmin"
)
"""Names that are written upright."""

BLANKS = dict.fromkeys((",", ";", ":", ">", " ", "quad", "qquad", "space", "enspace", "thinspace"), " ")
"""Room."""

SILENT = _names(
    "! left right middle limits nolimits displaystyle textstyle scriptstyle scriptscriptstyle big Big bigg Bigg bigl bigr "
    "Bigl Bigr biggl biggr Biggl Biggr hline nonumber notag centering mathstrut"
)
"""Commands that change sizes and places only."""

ACCENTS = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "bar": "\u0304",
    "overline": "\u0305",
    "vec": "\u20d7",
    "overrightarrow": "\u20d7",
    "tilde": "\u0303",
    "widetilde": "\u0303",
    "dot": "\u0307",
    "ddot": "\u0308",
    "underline": "\u0332",
    "check": "\u030c",
}
"""Combining characters."""

LETTERS = _names(
    "mathrm mathbf mathit mathsf mathtt mathcal mathfrak mathscr boldsymbol bm operatorname operatorname* boxed fbox "
    "underbrace overbrace mathop mathbin mathrel mathord phantom pmb bf rm it"
)
"""Commands whose argument is shown as it is."""

TEXTS = _names("text textbf textit textrm textsf texttt mbox hbox emph ce textnormal textup")
"""Commands whose argument is words, not maths."""

DOUBLE_STRUCK = _pairs("R ℝ N ℕ Z ℤ Q ℚ C ℂ P ℙ H ℍ E 𝔼 F 𝔽 1 𝟙")

_RAISED = "0⁰1¹2²3³4⁴5⁵6⁶7⁷8⁸9⁹+⁺-⁻=⁼(⁽)⁾aᵃbᵇcᶜdᵈeᵉfᶠgᵍhʰiⁱjʲkᵏlˡmᵐnⁿoᵒpᵖrʳsˢtᵗuᵘvᵛwʷxˣyʸzᶻTᵀ∘°°°′′**††"
_LOWERED = "0₀1₁2₂3₃4₄5₅6₆7₇8₈9₉+₊-₋=₌(₍)₎aₐeₑhₕiᵢjⱼkₖlₗmₘnₙoₒpₚrᵣsₛtₜuᵤvᵥxₓ"
RAISED = dict(zip(_RAISED[::2], _RAISED[1::2], strict=True))
LOWERED = dict(zip(_LOWERED[::2], _LOWERED[1::2], strict=True))

BRACKETS = {
    "pmatrix": "()",
    "bmatrix": "[]",
    "Bmatrix": "{}",
    "vmatrix": "||",
    "Vmatrix": "‖‖",
    "matrix": "  ",
}
