"""From a judged run to what a person reads: verdict block, diagnosis of a case, Allure results, HTML, Markdown."""
