// Hide the rows of the next table that do not contain what is typed.
for (const input of document.querySelectorAll(".filter")) {
  if (!(input instanceof HTMLInputElement)) continue;
  const rows = [...input.closest("details")?.querySelectorAll("tbody tr") ?? []];
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of rows) {
      row.toggleAttribute("hidden", !(row.textContent ?? "").toLowerCase().includes(wanted));
    }
  });
}
